/**
 * Takes over the audit trail of an older database into the journal.
 * Its records become the first of the journal, and its export is kept. Everything is made in a temporary folder, which takes
 * the name of the journal at the end. A crash before leaves nothing, and the takeover begins again. The old tables may be
 * dropped only after it.
 */
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { signCheckpoint } from '../../../journal/checkpoint.ts';
import { openCheckpointFiles } from '../../../journal/checkpoint-files.ts';
import { type Journal, openJournal } from '../../../journal/journal.ts';
import { JournalError, JournalOpenError } from '../../../journal/journal-error.ts';
import { fittingEntry, recordLine } from '../../../journal/record-line.ts';
import { noteSigner, verifierOf } from '../../../journal/signed-note.ts';
import { checkHeadFile } from '../../../journal/start/head-check.ts';
import { type AuditEntry, type ChainedAuditRecord, digestSchema } from '../../../shapes/audit.ts';
import { parsedJson } from '../../../shapes/json.ts';
import { isoTime } from '../../../shapes/time.ts';
import type { OldTrail } from '../../../stores/old-trail/old-trail.ts';
import type { Log } from '../../../telemetry/log.ts';
import { createOldChain, type OldChain, type OldTrailFault } from './old-chain.ts';
import { anchorOf, oldExport, publicPem } from './old-export.ts';

/** Dependencies of a takeover. */
export interface TakeoverDeps {
  trail: OldTrail;
  /** The folder that the journal will have. */
  directory: string;
  /** The file with the second copy of the last signed head. */
  headFile: string;
  /** The name of the log. */
  origin: string;
  /** The key that signed the old checkpoints, and signs the journal from now on. */
  signingKey: KeyObject;
  log: Log;
  now: () => number;
}

/** What was taken over. */
export interface Takeover {
  /** Records in the journal; `recordsInvalid` are in the export only, since they are no records. */
  records: number;
  recordsInvalid: number;
  /** The first fault of the old trail. It was taken over as it is. */
  fault: OldTrailFault | undefined;
}

/** Files in `imported/`: the export, the key that it verifies with, and the last record that was taken over. */
export const importedFiles = {
  export: 'audit-export.ndjson',
  publicKey: 'audit-public-key.pem',
  takeover: 'takeover.json',
} as const;

/** How often progress is logged, in milliseconds. */
const progressMs = 5000;

const lastRecordSchema = z.object({ last_seq: z.int(), last_hash: digestSchema.optional() });
type LastRecord = z.infer<typeof lastRecordSchema>;

/**
 * Takes the trail over, unless that was done before a crash.
 * @returns undefined where the journal has the trail already
 * @throws JournalOpenError if a journal is there that does not have the last record of the trail, or the head file is of
 * another journal
 */
export async function takeOverTrail(deps: TakeoverDeps): Promise<Takeover | undefined> {
  const { directory, log, trail } = deps;
  if (existsSync(directory)) {
    await assertTakenOver(deps);
    return undefined;
  }
  log.info('Taking over the audit trail of the database', { records: trail.recordsCount });
  const draft = `${directory}.new`;
  await rm(draft, { recursive: true, force: true });
  const takeover = await writeDraft(deps, draft);
  await rename(draft, directory);
  await syncFolder(dirname(directory));
  const { records, recordsInvalid, fault } = takeover;
  log.info('Took over the audit trail of the database', { records, records_invalid: recordsInvalid });
  if (fault !== undefined)
    log.error('The audit trail of the database does not verify', { audit_seq: fault.seq, reason: fault.reason });
  return takeover;
}

/** A database that is older than its journal may hold records that the journal does not: dropping them would lose them. */
async function assertTakenOver({ trail, directory }: TakeoverDeps): Promise<void> {
  const taken = lastRecordSchema.safeParse(parsedJson(await readIfPresent(takeoverFile(directory))));
  const last = lastRecordOf(trail);
  if (taken.success && taken.data.last_seq === last.last_seq && taken.data.last_hash === last.last_hash) return;
  const reason = `the database is of an older version, and its trail, up to record ${last.last_seq}, was not taken over into this journal; restore the database that belongs to it, or set the journal aside with \`hestia audit start-new\``;
  throw new JournalOpenError(directory, new JournalError('corrupt', reason));
}

function lastRecordOf(trail: OldTrail): LastRecord {
  const last = trail.last();
  if (last === undefined) return { last_seq: trail.anchor.seq, last_hash: trail.anchor.hash };
  const parsed = z.object({ hash: digestSchema }).safeParse(parsedJson(last.body));
  return { last_seq: last.seq, ...(parsed.success && { last_hash: parsed.data.hash }) };
}

async function writeDraft(deps: TakeoverDeps, draft: string): Promise<Takeover> {
  const { trail, signingKey, now } = deps;
  await mkdir(join(draft, 'imported'), { recursive: true, mode: 0o700 });
  const frontier = anchorOf(trail)?.frontier ?? [];
  const chain = createOldChain({ anchor: trail.anchor, frontier, signingKey });
  await using journal = await openJournal({ directory: draft, durability: 'normal', now });
  await writeImported(draft, importedFiles.export, (file) => copyTrail(deps, { journal, chain, file }));
  await writeImported(draft, importedFiles.publicKey, (file) => file.writeFile(publicPem(signingKey)));
  const last = JSON.stringify(lastRecordOf(trail));
  await writeImported(draft, importedFiles.takeover, (file) => file.writeFile(`${last}\n`));
  await signHead(deps, { draft, journal });
  const records = journal.size();
  return { records, recordsInvalid: trail.recordsCount - records, fault: chain.fault() };
}

/** Writes a file into `imported/` and puts it on the disk. */
async function writeImported(draft: string, name: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  await using file = await open(join(draft, 'imported', name), 'wx', 0o600);
  await write(file);
  await file.sync();
}

/** Writes the lines of the export, and appends the records to the journal. */
async function copyTrail(
  { trail, signingKey, log }: TakeoverDeps,
  { journal, chain, file }: { journal: Journal; chain: OldChain; file: FileHandle },
): Promise<void> {
  let loggedAtMs = performance.now();
  for (const part of oldExport(trail, signingKey)) {
    await file.writeFile(part.lines.map((line) => `${line}\n`).join(''));
    if (part.kind === 'checkpoint') chain.checkpoint(part.body);
    if (part.kind !== 'records') continue;
    const records = part.records.flatMap((stored) => chain.record(stored) ?? []);
    const entries = records.map((record) => takenOver(record, trail));
    await Promise.all(entries.map((entry) => journal.append((seq) => recordLine(entry, seq))));
    if (performance.now() - loggedAtMs < progressMs) continue;
    loggedAtMs = performance.now();
    log.info('Taking over the audit trail of the database', {
      records: trail.recordsCount,
      records_done: journal.size(),
    });
  }
}

/**
 * The record as the journal has it: its old number and hash beside the new number. An outcome names the search that it taught,
 * which the old database kept in a table of its own.
 */
function takenOver({ seq, hash, previous_hash: _, ...record }: ChainedAuditRecord, trail: OldTrail): AuditEntry {
  const { call_id: callId } = record.fields;
  const isOutcome = record.kind === 'tool_outcome' && typeof callId === 'string';
  const search = isOutcome ? trail.creditedSearch(callId) : undefined;
  const fields = search === undefined ? record.fields : { ...record.fields, credited_search_id: search };
  return fittingEntry({ ...record, fields, imported: { seq, hash } });
}

/** Signs the taken over records, so that the first start finds a head like any other. */
async function signHead(
  { headFile, origin, signingKey, now }: TakeoverDeps,
  { draft, journal }: { draft: string; journal: Journal },
): Promise<void> {
  const signer = noteSigner(origin, signingKey);
  await checkHeadFile(journal.tree, { headFile, origin, verifiers: [verifierOf(signer.vkey)] });
  await journal.sync();
  await journal.tree.flush();
  const files = await openCheckpointFiles({ directory: draft, headFile });
  const size = journal.size();
  const note = signCheckpoint({ origin, size, root: journal.tree.root() }, [signer]);
  await files.append({ size, time: isoTime(now()), note });
  await files.writeHead(note);
}

function takeoverFile(directory: string): string {
  return join(directory, 'imported', importedFiles.takeover);
}

async function readIfPresent(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return '';
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
