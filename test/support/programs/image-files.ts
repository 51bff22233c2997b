/** The files of the image, laid out in a folder as the Dockerfile copies them. */
import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Builds the image's JavaScript into `folder`, beside copies of what it reads. Its packages are those of this checkout.
 * @returns the folder of the JavaScript: `main.js` is the hub, `hestia.js` the command line
 * @throws Error if the build fails, with its output
 */
export function layOutImage(folder: string): string {
  const built = join(folder, 'dist');
  const args = ['run', '--silent', 'build', '--', '--environment', 'IMAGE', '--dir', built];
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build of the image ended with ${status}: ${stderr}${stdout}`);
  for (const name of ['src', 'models', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return built;
}
