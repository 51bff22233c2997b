/**
 * Signs the audit trail in the background, with a checkpoint every N records or seconds. It reads and hashes the records
 * since the last checkpoint in pages and yields to calls between two. It signs no record that breaks the chain.
 */
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import limitConcurrency from 'p-limit';
import type { ChainHead, StoredRecord } from '../../shapes/audit.ts';
import type { AuditTreeNode } from '../../shapes/audit-checkpoint.ts';
import { isoTime } from '../../shapes/time.ts';
import { type AuditCheckpointStore, treeLevelMin } from '../../stores/audit-checkpoint-store.ts';
import type { AuditStore } from '../../stores/audit-store.ts';
import type { Database } from '../../stores/database.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import type { Log } from '../../telemetry/log.ts';
import { spanNames } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditAlarm, TrailFault } from './alarm.ts';
import { checkRecord, genesis } from './chain.ts';
import {
  type CheckpointHead,
  type CheckpointSigner,
  checkpointHead,
  noCheckpoint,
  parseCheckpoint,
  signatureFault,
  type VerifyingKey,
} from './checkpoint.ts';
import type { AuditLedger } from './ledger.ts';
import { frontierLength, frontierRoot, type GrowingTree, growTree, leafHash } from './merkle-tree.ts';

/** Signs the audit trail. Runs are queued and do not overlap. */
export interface AuditCheckpointer {
  /** Starts a timer that calls `runDue` once a second. */
  start(): void;
  /** Stops the timer and signs the remaining records. Never throws. */
  stop(): Promise<void>;
  /** Signs a checkpoint if one is due, and reconciles the ledger. @throws HestiaError STORAGE_FAILED */
  runDue(): Promise<void>;
  /** Signs all records that are committed now, due or not. @throws HestiaError STORAGE_FAILED */
  runNow(): Promise<void>;
  /** The number of records that no checkpoint covers, as of the last run. */
  uncovered(): number;
  /** The last checkpoint that this process signed, or read when it started; undefined before the first run. */
  lastCheckpoint(): CheckpointHead | undefined;
}

/** Dependencies of the checkpointer. */
export interface AuditCheckpointerDeps {
  database: Database;
  auditStore: AuditStore;
  checkpointStore: AuditCheckpointStore;
  signer: CheckpointSigner;
  verifyWith: VerifyingKey;
  ledger: AuditLedger;
  alarm: AuditAlarm;
  report: EventReport;
  log: Log;
  /** A checkpoint covers at most `checkpointRecords`, and is signed at most `checkpointSeconds` after the first of them. */
  settings: { checkpointRecords: number; checkpointSeconds: number };
  now: () => number;
}

/** The interval of the timer. */
const intervalMs = 1000;
/** Records read and hashed at once. */
const pageSize = 100;
/** The most checkpoints signed in one run; the remaining records wait for the next run. */
const checkpointsMax = 20;

/** The end of the signed part of the trail. */
interface SignedEnd {
  head: ChainHead;
  tree: GrowingTree;
  lastCheckpoint: CheckpointHead;
}

/** Creates the checkpointer. */
export function createAuditCheckpointer(deps: AuditCheckpointerDeps): AuditCheckpointer {
  const { auditStore, ledger, alarm, settings } = deps;
  let end: SignedEnd | undefined;
  let uncovered = 0;
  let uncoveredSince: number | undefined;
  const enqueue = limitConcurrency(1);

  const reconciledHead = async (): Promise<number> => {
    // In a fresh turn of the event loop no transaction is open, and every committed record is counted.
    await setImmediate();
    const { seq } = await auditStore.head();
    ledger.reconcile(seq);
    return seq;
  };
  const run = async (isDue: (records: number) => boolean): Promise<void> => {
    for (let round = 0; round < checkpointsMax; round += 1) {
      const headSeq = await reconciledHead();
      const opened = end ?? (await readSignedEnd(deps));
      if ('reason' in opened) return alarm.raiseThrottled(opened);
      end = opened;
      uncovered = Math.max(headSeq - end.head.seq, 0);
      if (uncovered > 0) uncoveredSince ??= performance.now();
      if (headSeq === end.head.seq || !isDue(uncovered)) return;
      const until = Math.min(headSeq, end.head.seq + settings.checkpointRecords);
      // After a range that fails, the next run reads the signed end from the database again.
      end = undefined;
      const extended = await signRange(deps, opened, until);
      if ('reason' in extended) return alarm.raiseThrottled(extended);
      end = extended;
      uncovered = headSeq - until;
      uncoveredSince = undefined;
    }
  };
  const isOverdue = () =>
    uncoveredSince !== undefined && performance.now() - uncoveredSince >= settings.checkpointSeconds * 1000;
  const runDue = () => enqueue(() => run((records) => records >= settings.checkpointRecords || isOverdue()));
  const runNow = () => enqueue(() => run(() => true));
  return {
    ...createTimer(deps.log, { runDue, runNow }),
    runDue,
    runNow,
    uncovered: () => uncovered,
    lastCheckpoint: () => end?.lastCheckpoint,
  };
}

/** Runs the checkpointer every second. The first of several failures in a row is logged. */
function createTimer(
  log: Log,
  { runDue, runNow }: { runDue: () => Promise<void>; runNow: () => Promise<void> },
): { start: () => void; stop: () => Promise<void> } {
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
      await attempt(runNow);
    },
  };
}

/** Reads the signed end from the last stored checkpoint, and verifies that this hub signed it. */
async function readSignedEnd({
  auditStore,
  checkpointStore,
  verifyWith,
}: AuditCheckpointerDeps): Promise<SignedEnd | TrailFault> {
  const last = await checkpointStore.last();
  const anchor = await auditStore.anchor();
  if (last === undefined) {
    if (anchor.seq > 0) return { seq: anchor.seq, reason: 'records were pruned, and no checkpoint covers them' };
    return { head: genesis, tree: growTree({ size: 0, frontier: [] }), lastCheckpoint: noCheckpoint };
  }
  const { number, body, frontier, lastSeq: seq = 0 } = last;
  const checkpoint = parseCheckpoint(body);
  if ('reason' in checkpoint) return { seq, checkpoint: number, reason: checkpoint.reason };
  const hasRoot =
    frontier.length === frontierLength(checkpoint.last_seq) && frontierRoot(frontier) === checkpoint.root_hash;
  const reason =
    signatureFault(checkpoint, verifyWith) ??
    (hasRoot ? undefined : 'the frontier stored with it does not have its root');
  if (reason !== undefined) return { seq, checkpoint: number, reason };
  return {
    head: { seq: checkpoint.last_seq, hash: checkpoint.head_hash },
    tree: growTree({ size: checkpoint.last_seq, frontier }),
    lastCheckpoint: checkpointHead({ checkpoint, body }),
  };
}

/** Reads the records up to `until`, and signs them if each follows the one before it. */
async function signRange(deps: AuditCheckpointerDeps, from: SignedEnd, until: number): Promise<SignedEnd | TrailFault> {
  const { auditStore } = deps;
  const writerId = auditStore.writerId();
  const nodes: AuditTreeNode[] = [];
  let { head } = from;
  while (head.seq < until) {
    const page = await auditStore.listRaw({ after: head.seq, until, limit: pageSize });
    if (page.length === 0) return { seq: head.seq + 1, reason: 'the record was removed before it was signed' };
    for (const row of page) {
      const next = auditStore.headIfUnchanged(row, head) ?? checkedHead(row, head, writerId);
      if ('reason' in next) return next;
      head = next;
      nodes.push(...from.tree.append(leafHash(row.body)).filter(({ level }) => level >= treeLevelMin));
    }
    await setImmediate();
  }
  return { ...from, head, lastCheckpoint: await signCheckpoint(deps, { ...from, head }, nodes) };
}

function checkedHead({ body }: StoredRecord, head: ChainHead, writerId: string): ChainHead | TrailFault {
  const checked = checkRecord(body, head, writerId);
  return 'reason' in checked ? checked : { seq: checked.record.seq, hash: checked.record.hash };
}

async function signCheckpoint(
  { database, auditStore, checkpointStore, signer, report, now }: AuditCheckpointerDeps,
  { head, tree, lastCheckpoint }: SignedEnd,
  nodes: readonly AuditTreeNode[],
): Promise<CheckpointHead> {
  const signed = signer.sign({
    number: lastCheckpoint.number + 1,
    writer_id: auditStore.writerId(),
    time: isoTime(now()),
    first_seq: lastCheckpoint.lastSeq + 1,
    last_seq: head.seq,
    head_hash: head.hash,
    root_hash: tree.root(),
    previous_hash: lastCheckpoint.hash,
  });
  await inSpan(spanNames.auditCheckpoint, { parent: ROOT_CONTEXT }, async (span) => {
    await database.transaction((tx) => checkpointStore.append(tx, { signed, frontier: tree.frontier(), nodes }));
    // The log carries the complete checkpoint off the machine, so that the trail can be verified against it later.
    const { number, last_seq } = signed.checkpoint;
    const fields = { checkpoint_number: number, audit_seq: last_seq, checkpoint: signed.body };
    report({ kind: 'change', name: 'AUDIT_CHECKPOINT', fields }, span);
  });
  return checkpointHead(signed);
}
