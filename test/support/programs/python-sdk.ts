/** The Python at which test/e2e/python-sdk/install.sh installs the Python SDK: outside the repository, by digest. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const requirements = new URL('../../e2e/python-sdk/requirements.txt', import.meta.url);

/** The path of the Python for the current requirements. Does not check whether it is installed. */
export function pythonWithSdk(): string {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'hestia', 'python-sdk', digest, 'venv', 'bin', 'python');
}
