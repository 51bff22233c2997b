/** Text files that people edit: read with or without a byte order mark, and replaced in one step. */
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Reads UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes it. @throws the error of the system */
export function readTextFile(path: string): string {
  const bytes = readFileSync(path);
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(isUtf16 ? 'utf16le' : 'utf8');
}

/** Replaces a file in one step, also behind a symbolic link. A new file gets the mode. @throws the error of the system */
export function replaceTextFile(path: string, text: string, modeIfNew: number): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const mode = existsSync(target) ? statSync(target).mode & 0o777 : modeIfNew;
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
