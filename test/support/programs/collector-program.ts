/** The path at which test/e2e/collector/build.sh builds the collector: outside the repository, by manifest digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const manifest = new URL('../../e2e/collector/manifest.yaml', import.meta.url);

/** The path of the collector for the current manifest. Does not check whether it is built. */
export function collectorProgram(): string {
  const digest = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 16);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'collector', `otelcol-${digest}`);
}
