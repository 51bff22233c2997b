/**
 * Checks the records of key rotations that a start is about to sign: in the journal and in the outbox.
 * Whoever could write these files while the hub was stopped may have added some. A signed rotation makes readers trust the keys
 * that it names, so that they must be keys of this hub.
 */

import type { Journal } from '../../journal/journal.ts';
import { JournalError, JournalOpenError } from '../../journal/journal-error.ts';
import type { QueuedEntry } from '../../stores/outbox-store.ts';
import { rotatedKeys, rotationEvent } from './verification/key-ring.ts';
import { readRecordLine } from './verification/record-check.ts';

/** The folder of the journal, and the verifier keys of the hub. */
interface OwnKeys {
  directory: string;
  ownVkeys: readonly string[];
}

/**
 * Checks the records that no checkpoint covers.
 * @throws JournalOpenError, with `isBroken`; what reading the journal throws
 */
export async function checkUnsignedRotations(
  journal: Pick<Journal, 'read' | 'size'>,
  { directory, coveredSize, ownVkeys }: OwnKeys & { coveredSize: number },
): Promise<void> {
  if (coveredSize >= journal.size()) return;
  for await (const page of journal.read({ from: coveredSize + 1, to: journal.size() })) {
    for (const { seq, line } of page) {
      const record = readRecordLine(line);
      if ('reason' in record || record.event !== rotationEvent || areOwn(rotatedKeys(line), ownVkeys)) continue;
      const found = `record ${seq}, which no checkpoint covers, names a signing key that this hub does not have`;
      throw broken(directory, `${found}: it was appended while the hub was stopped`);
    }
  }
}

/** Checks the records that an earlier process left in the outbox. @throws JournalOpenError, with `isBroken` */
export function checkQueuedRotations(entries: readonly QueuedEntry[], { directory, ownVkeys }: OwnKeys): void {
  const isForeign = (entry: QueuedEntry) =>
    entry.event === rotationEvent && !areOwn(rotatedKeys(JSON.stringify(entry)), ownVkeys);
  if (!entries.some(isForeign)) return;
  throw broken(directory, 'a record in the outbox of the database names a signing key that this hub does not have');
}

function broken(directory: string, found: string): JournalOpenError {
  const remedy = 'restore it from a backup, or set the journal aside with `hestia audit start-new`';
  return new JournalOpenError(directory, new JournalError('corrupt', `${found}; ${remedy}`));
}

function areOwn(vkeys: readonly string[], ownVkeys: readonly string[]): boolean {
  return vkeys.every((vkey) => ownVkeys.includes(vkey));
}
