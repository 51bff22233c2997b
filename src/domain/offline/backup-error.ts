/** The error of a backup or a restore, which names the file and what is wrong with it. */

/** A backup that cannot be made, or that cannot be restored. The message is one line. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}
