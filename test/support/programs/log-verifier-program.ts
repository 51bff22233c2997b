/** The path at which test/e2e/log-verifier/build.sh builds the verifier: outside the repository, by digest of its sources. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const sources = ['go.mod', 'go.sum', 'main.go'].map(
  (name) => new URL(`../../e2e/log-verifier/${name}`, import.meta.url),
);

/** The path of the verifier for the current sources. Does not check whether it is built. */
export function logVerifierProgram(): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const name = `log-verifier-${hash.digest('hex').slice(0, 16)}`;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', 'log-verifier', name);
}
