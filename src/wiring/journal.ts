/**
 * Opens the journal with its keys and checkpoint files, in the order that a start needs.
 * The head of a new journal is signed before its key is stored. The trail of an older database is taken over before the
 * database is upgraded. A key without a signed head is thus always an alarm.
 */

import { checkUnsignedRotations } from '../domain/audit/own-rotations.ts';
import type { OldTrailFault } from '../domain/audit/takeover/old-chain.ts';
import { takeOverTrail } from '../domain/audit/takeover/take-over.ts';
import { signCheckpoint } from '../journal/checkpoint.ts';
import { type CheckpointFiles, openCheckpointFiles } from '../journal/checkpoint-files.ts';
import { type Journal, type JournalDeps, openJournal } from '../journal/journal.ts';
import { noteSigner } from '../journal/signed-note.ts';
import { openSigningKeys, type SigningKeys } from '../journal/signing-keys.ts';
import { createHeadCheck, signEmptyJournal } from '../journal/start/head-check.ts';
import { isoTime } from '../shapes/time.ts';
import {
  type AuditKeys,
  findSigningKey,
  loadAuditKeys,
  loadDigestKey,
  newSigningKey,
  storeSigningKey,
} from '../stores/audit-key-store.ts';
import { openOldTrail } from '../stores/old-trail/old-trail.ts';
import type { Log } from '../telemetry/log.ts';

/** Where the journal and its files are. The caller holds the lock of the data directory. */
export interface JournalPlace {
  /** The data directory, with the key files. */
  dataDirectory: string;
  /** The folder of the journal. */
  directory: string;
  /** The file with the second copy of the last signed head. */
  headFile: string;
}

/** The default name of the log of a writer. */
export function defaultOrigin(writerId: string): string {
  return `hestia/${writerId}`;
}

/**
 * Takes over the trail of a database from before the journal. Does nothing where there is none. The database may be upgraded,
 * which drops the old tables, only after this. May be repeated.
 * @returns the first fault of the old trail, to be recorded as an alarm
 * @throws DatabaseOpenError, AuditKeyError, JournalOpenError
 */
export async function takeOverOldTrail(
  place: JournalPlace,
  deps: { databaseFile: string; origin: string | undefined; log: Log; now: () => number },
): Promise<OldTrailFault | undefined> {
  using trail = openOldTrail(deps.databaseFile);
  if (trail === undefined) return undefined;
  const mayCreate = trail.anchor.seq === 0 && trail.checkpoints({ after: 0, limit: 1 }).length === 0;
  const { signingKey } = loadAuditKeys({ directory: place.dataDirectory, mayCreate });
  const origin = deps.origin ?? defaultOrigin(trail.writerId);
  const { directory, headFile } = place;
  const taken = await takeOverTrail({ trail, directory, headFile, origin, signingKey, log: deps.log, now: deps.now });
  return taken?.fault;
}

/** The open journal and what signs it. */
export interface OpenedJournal {
  journal: Journal;
  keys: AuditKeys;
  signingKeys: SigningKeys;
  checkpointFiles: CheckpointFiles;
  /** The records that no checkpoint covers, as the folder was found. */
  unsignedRecords: number;
}

/** Dependencies of the opening, besides its place. */
export interface JournalOpening extends Omit<JournalDeps, 'directory' | 'check'> {
  /** The name of the log. */
  origin: string;
  /** How long a replaced key signs beside its successor, in milliseconds. */
  overlapMs: number;
}

/**
 * Opens the journal, after it was compared with its signed heads; creates it with its keys where there is neither.
 * @throws JournalOpenError, with `isBroken` where the journal is not what was signed; AuditKeyError; Error of the file system
 */
export async function openSignedJournal(place: JournalPlace, opening: JournalOpening): Promise<OpenedJournal> {
  const { dataDirectory, directory, headFile } = place;
  const { origin, overlapMs, now } = opening;
  const storedKey = findSigningKey(dataDirectory);
  const signingKey = storedKey ?? newSigningKey();
  const signingKeys = openSigningKeys({ directory: dataDirectory, origin, signingKey, overlapMs, now });
  const verifiers = storedKey === undefined ? undefined : signingKeys.verifiers();
  const check = createHeadCheck({ directory, headFile, origin, verifiers });
  await using opened = new AsyncDisposableStack();
  const journal = opened.use(await openJournal({ ...opening, directory, check }));
  const digestKey = loadDigestKey({ directory: dataDirectory, mayCreate: storedKey === undefined });
  const checkpointFiles = await openCheckpointFiles({ directory, headFile });
  const coveredSize = checkpointFiles.newest()?.size ?? 0;
  await checkUnsignedRotations(journal, { directory, coveredSize, ownVkeys: signingKeys.ownVkeys() });
  if (storedKey === undefined) {
    const signers = [noteSigner(origin, signingKey)];
    const sign = (checkpoint: { size: number; root: Buffer }) => signCheckpoint({ origin, ...checkpoint }, signers);
    await signEmptyJournal({ files: checkpointFiles, sign, time: isoTime(now()) });
    storeSigningKey(dataDirectory, signingKey);
  }
  // From here on the caller owns the journal.
  opened.move();
  const unsignedRecords = journal.size() - coveredSize;
  return { journal, keys: { signingKey, digestKey }, signingKeys, checkpointFiles, unsignedRecords };
}
