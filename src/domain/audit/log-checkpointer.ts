/**
 * Signs the journal's Merkle tree in the background, with a checkpoint every N records or seconds.
 * It signs the tree in memory, never what was read back, and only what is on the disk.
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import limitConcurrency from 'p-limit';
import { type Checkpoint, type CheckpointLine, signCheckpoint } from '../../journal/checkpoint.ts';
import type { CheckpointFiles } from '../../journal/checkpoint-files.ts';
import type { Journal } from '../../journal/journal.ts';
import type { NoteSigner } from '../../journal/signed-note.ts';
import { isoTime } from '../../shapes/time.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import type { Log } from '../../telemetry/log.ts';
import { spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';

/** A checkpoint that this process signed. */
export interface SignedLogCheckpoint extends Checkpoint {
  /** When it was signed, as ISO 8601. */
  time: string;
  /** The checkpoint with the signatures of the log. */
  note: string;
}

/** Signs the journal. Runs are queued and do not overlap. */
export interface LogCheckpointer {
  /** Signs when a checkpoint is due, from now on. */
  start(): void;
  /** Stops, and signs the remaining records. Never throws. */
  stop(): Promise<void>;
  /** Signs a checkpoint if one is due. @throws HestiaError STORAGE_FAILED, or an error of the file system */
  runDue(): Promise<void>;
  /** Signs all records that are appended now, due or not. @throws HestiaError STORAGE_FAILED, or an error of the file system */
  runNow(): Promise<void>;
  /** The number of records that no checkpoint covers. */
  uncovered(): number;
  /** The newest checkpoint, with the cosignatures received so far. */
  newest(): CheckpointLine | undefined;
  /** The newest checkpoint that a witness cosigned. */
  newestCosigned(): CheckpointLine | undefined;
  /** Stores a checkpoint with the signature lines of witnesses that verified it. @throws Error of the file system */
  addCosignatures(signed: SignedLogCheckpoint, lines: readonly string[]): Promise<void>;
  /** Deletes stored checkpoints over fewer than `size` records, except the newest. @throws Error of the file system */
  prune(size: number): Promise<void>;
  /** Calls `listener` after each new checkpoint. It must not throw. */
  onSigned(listener: (checkpoint: SignedLogCheckpoint) => void): void;
}

/** Dependencies of the checkpointer. */
export interface LogCheckpointerDeps {
  journal: Pick<Journal, 'tree' | 'sync' | 'onAppended'>;
  files: CheckpointFiles;
  /** The name of the log, the first line of each checkpoint. */
  origin: string;
  /** The keys that sign now: the current one, and those that were replaced a short time ago. */
  signers: () => readonly NoteSigner[];
  report: EventReport;
  log: Log;
  /** A checkpoint is signed after `checkpointRecords`, and at most `checkpointSeconds` after the first record it covers. */
  settings: { checkpointRecords: number; checkpointSeconds: number };
  now: () => number;
}

/** The interval of the timer. */
const intervalMs = 1000;

/** Creates the checkpointer. Its newest checkpoint is the last of the files. */
export function createLogCheckpointer(deps: LogCheckpointerDeps): LogCheckpointer {
  const { journal, files, settings } = deps;
  const enqueue = limitConcurrency(1);
  const listeners: ((checkpoint: SignedLogCheckpoint) => void)[] = [];
  const head = createHead(files);
  let uncoveredSince: number | undefined;
  const uncovered = () => journal.tree.size() - (files.newest()?.size ?? 0);
  const isOverdue = () => {
    if (uncovered() > 0) uncoveredSince ??= performance.now();
    return uncoveredSince !== undefined && performance.now() - uncoveredSince >= settings.checkpointSeconds * 1000;
  };
  const run = async (isDue: () => boolean): Promise<void> => {
    if (uncovered() > 0 && isDue()) {
      const signed = await sign(deps);
      uncoveredSince = undefined;
      for (const listener of listeners) listener(signed);
    }
    await head.write();
  };
  const runDue = () => enqueue(() => run(() => uncovered() >= settings.checkpointRecords || isOverdue()));
  const runNow = () => enqueue(() => run(() => true));
  const timer = createTimer(deps.log, { runDue, runNow });
  journal.onAppended(() => {
    if (enqueue.activeCount === 0 && uncovered() >= settings.checkpointRecords) timer.runSoon();
  });
  return {
    start: timer.start,
    stop: timer.stop,
    runDue,
    runNow,
    uncovered,
    newest: () => (files.newestCosigned()?.size === files.newest()?.size ? files.newestCosigned() : files.newest()),
    newestCosigned: files.newestCosigned,
    addCosignatures: (signed, lines) => enqueue(() => addCosignatures(files, signed, lines)),
    prune: (size) => enqueue(() => files.prune(size)),
    onSigned: (listener) => listeners.push(listener),
  };
}

/** Writes the second copy of the newest checkpoint, again after each failure. */
function createHead(files: CheckpointFiles): { write: () => Promise<void> } {
  let written: string | undefined;
  return {
    write: async () => {
      const note = files.newest()?.note;
      if (note === undefined || note === written) return;
      await files.writeHead(note);
      written = note;
    },
  };
}

/** Runs the checkpointer every second and on demand. The first of several failures in a row is logged. */
function createTimer(
  log: Log,
  { runDue, runNow }: { runDue: () => Promise<void>; runNow: () => Promise<void> },
): { start: () => void; stop: () => Promise<void>; runSoon: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  const attempt = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error('The audit trail could not be signed', {}, { error });
      isFailing = true;
    }
  };
  return {
    start: () => {
      timer = setInterval(() => attempt(runDue), intervalMs);
    },
    stop: async () => {
      clearInterval(timer);
      timer = undefined;
      await attempt(runNow);
    },
    runSoon: () => {
      if (timer !== undefined && !isFailing) attempt(runDue);
    },
  };
}

async function sign(deps: LogCheckpointerDeps): Promise<SignedLogCheckpoint> {
  const { journal, files, origin, signers, report, now } = deps;
  const checkpoint = { origin, size: journal.tree.size(), root: journal.tree.root() };
  // A loss of power must not remove records that a checkpoint covers.
  await journal.sync();
  const signed = { ...checkpoint, time: isoTime(now()), note: signCheckpoint(checkpoint, signers()) };
  await inSpan(spanNames.auditCheckpoint, { parent: ROOT_CONTEXT }, async (span) => {
    await files.append(lineOf(signed));
    // The log carries the complete checkpoint off the machine, so that the trail can be verified against it later.
    const fields = { audit_seq: checkpoint.size, checkpoint: signed.note };
    report({ kind: 'change', name: 'AUDIT_CHECKPOINT', fields }, span);
  });
  return signed;
}

function lineOf({ size, time, note }: SignedLogCheckpoint): CheckpointLine {
  return { size, time, note };
}

async function addCosignatures(
  files: CheckpointFiles,
  signed: SignedLogCheckpoint,
  lines: readonly string[],
): Promise<void> {
  const stored = files.newestCosigned();
  const line = stored?.size === signed.size ? stored : lineOf(signed);
  const added = lines.filter((signature) => !line.note.includes(signature));
  if (added.length > 0) await files.appendCosigned({ ...line, note: `${line.note}${added.join('')}` });
}
