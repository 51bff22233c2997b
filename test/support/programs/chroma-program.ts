/** Where test/e2e/chroma/install.sh leaves the Chroma server of the tests: outside the repository, by its manifest's digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const manifest = new URL('../../e2e/chroma/package.json', import.meta.url);

/** Path of the server that was installed from the manifest as it is now; whether it was, is not asked. */
export function chromaProgram(): string {
  const digest = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'chroma', digest);
  return join(folder, 'node_modules', '.bin', 'chroma');
}
