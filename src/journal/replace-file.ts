/** Replaces a file as a whole, so that a crash leaves either the old content or the new one. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes and syncs a temporary file beside it, then renames that. Creates the folder. `mode` are the permissions of the file.
 * @throws Error of the file system
 */
export async function replaceFile(path: string, content: Buffer | string, mode = 0o666): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  await using file = await open(draft, 'w', mode);
  await file.writeFile(content);
  await file.datasync();
  await rename(draft, path);
}
