/** Where test/e2e/collector/build.sh leaves the collector of the tests: outside the repository, by its manifest's digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const manifest = new URL('../../e2e/collector/manifest.yaml', import.meta.url);

/** Path of the collector that was built from the manifest as it is now; whether it was, is not asked. */
export function collectorProgram(): string {
  const digest = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 16);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'collector', `otelcol-${digest}`);
}
