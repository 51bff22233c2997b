/** Replaces a file as a whole, so that a crash leaves either the old content or the new one. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { privateFileMode } from '../flow/private-file.ts';

/**
 * Writes and syncs a temporary file beside it, then renames that. Creates the folder. Only the owner may read the file.
 * @throws Error of the file system
 */
export async function replaceFile(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  await using file = await open(draft, 'wx', privateFileMode);
  await file.writeFile(content);
  await file.datasync();
  await rename(draft, path);
}
