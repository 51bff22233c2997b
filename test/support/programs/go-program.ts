/** The path at which test/e2e/build-go.sh builds a Go program: outside the repository, by digest of its sources. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The path of a program for the current sources, in the folder of this name. Does not check whether it is built. */
export function goProgram(name: 'compose-config' | 'go-sdk' | 'log-verifier'): string {
  const hash = createHash('sha256');
  for (const source of ['go.mod', 'go.sum', 'main.go']) {
    hash.update(readFileSync(new URL(`../../e2e/${name}/${source}`, import.meta.url)));
  }
  const file = `${name}-${hash.digest('hex').slice(0, 16)}`;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hestia', name, file);
}
