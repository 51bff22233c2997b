/** The path at which test/e2e/chroma/install.sh installs the Chroma server: outside the repository, by manifest digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const manifest = new URL('../../e2e/chroma/package.json', import.meta.url);

/** The path of the server for the current manifest. Does not check whether it is installed. */
export function chromaProgram(): string {
  const digest = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 16);
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'chroma', digest);
  return join(folder, 'node_modules', '.bin', 'chroma');
}
