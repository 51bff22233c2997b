/**
 * Signs the trail behind the calls: every so many records or seconds, one checkpoint over what was committed since the last.
 * Reads and hashes in pages between which calls have their turn; signs nothing that does not follow.
 */
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT } from '@opentelemetry/api';
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
import type { AuditAlarm, BrokenPlace } from './alarm.ts';
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

/** The checkpointer. */
export interface AuditCheckpointer {
  /** Looks once a second whether something is due. */
  start(): void;
  /** Looks no more, and signs what is left. Never throws. */
  stop(): Promise<void>;
  /** Signs what is due, and reconciles the books. @throws HestiaError STORAGE_FAILED */
  runDue(): Promise<void>;
  /** Signs all that is on record now, due or not. @throws HestiaError STORAGE_FAILED */
  runNow(): Promise<void>;
  /** Records behind the last checkpoint, as of the last look. */
  uncovered(): number;
  /** The last checkpoint this process signed or went on from. */
  standing(): CheckpointHead | undefined;
}

/** What the checkpointer is made of. */
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
  /** A checkpoint covers at most so many records, and is signed so many seconds after the first of them at the latest. */
  settings: { checkpointRecords: number; checkpointSeconds: number };
  now: () => number;
}

/** How often it looks, in milliseconds. */
const lookMs = 1000;
/** Rows read and hashed at once. */
const pageSize = 100;
/** Checkpoints signed in one run; what is left waits for the next. */
const checkpointsMax = 20;

/** Where the signed part of the trail ends. */
interface Standing {
  head: { seq: number; hash: string };
  tree: GrowingTree;
  lastCheckpoint: CheckpointHead;
}

/** Makes the checkpointer. */
export function createAuditCheckpointer(deps: AuditCheckpointerDeps): AuditCheckpointer {
  const { auditStore, ledger, alarm, settings } = deps;
  let standing: Standing | undefined;
  let uncovered = 0;
  let waitingSince: number | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const look = async (): Promise<number> => {
    // A fresh turn of the event loop: no transaction is open, and all that is committed is counted.
    await setImmediate();
    const { seq } = await auditStore.head();
    ledger.reconcile(seq);
    return seq;
  };
  const run = async (isDue: (waiting: number) => boolean): Promise<void> => {
    for (let round = 0; round < checkpointsMax; round += 1) {
      const headSeq = await look();
      const opened = standing ?? (await restored(deps));
      if ('reason' in opened) return alarm.raiseOwn(opened);
      standing = opened;
      uncovered = Math.max(headSeq - standing.head.seq, 0);
      if (uncovered > 0) waitingSince ??= performance.now();
      if (headSeq === standing.head.seq || !isDue(uncovered)) return;
      const until = Math.min(headSeq, standing.head.seq + settings.checkpointRecords);
      // Held only while it is whole: a range that fails is read again from what is stored.
      standing = undefined;
      const signed = await signRange(deps, opened, until);
      if ('reason' in signed) return alarm.raiseOwn(signed);
      standing = signed;
      uncovered = headSeq - until;
      waitingSince = undefined;
    }
  };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const isWaitedFor = () =>
    waitingSince !== undefined && performance.now() - waitingSince >= settings.checkpointSeconds * 1000;
  const runDue = () => inTurn(() => run((waiting) => waiting >= settings.checkpointRecords || isWaitedFor()));
  const runNow = () => inTurn(() => run(() => true));
  return {
    ...createClock(deps.log, { runDue, runNow }),
    runDue,
    runNow,
    uncovered: () => uncovered,
    standing: () => standing?.lastCheckpoint,
  };
}

/** A look every second; a failure is told once, until a look succeeds again. */
function createClock(
  log: Log,
  { runDue, runNow }: { runDue: () => Promise<void>; runNow: () => Promise<void> },
): { start: () => void; stop: () => Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  const look = async (run: () => Promise<void>): Promise<void> => {
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
      timer = setInterval(() => look(runDue), lookMs);
    },
    stop: async () => {
      clearInterval(timer);
      await look(runNow);
    },
  };
}

/** Goes on from the last stored checkpoint, if it is one of ours. */
async function restored({
  auditStore,
  checkpointStore,
  verifyWith,
}: AuditCheckpointerDeps): Promise<Standing | BrokenPlace> {
  const last = await checkpointStore.last();
  const anchor = await auditStore.anchor();
  if (last === undefined) {
    if (anchor.seq > 0) return { seq: anchor.seq, reason: 'records were pruned, and no checkpoint stands for them' };
    return { head: genesis, tree: growTree({ size: 0, frontier: [] }), lastCheckpoint: noCheckpoint };
  }
  const { number, body, frontier, lastSeq: seq = 0 } = last;
  const checkpoint = parseCheckpoint(body);
  if ('reason' in checkpoint) return { seq, checkpoint: number, reason: checkpoint.reason };
  const isWhole =
    frontier.length === frontierLength(checkpoint.last_seq) && frontierRoot(frontier) === checkpoint.root_hash;
  const reason =
    signatureFault(checkpoint, verifyWith) ??
    (isWhole ? undefined : 'the frontier kept with it does not have its root');
  if (reason !== undefined) return { seq, checkpoint: number, reason };
  return {
    head: { seq: checkpoint.last_seq, hash: checkpoint.head_hash },
    tree: growTree({ size: checkpoint.last_seq, frontier }),
    lastCheckpoint: checkpointHead({ checkpoint, body }),
  };
}

/** Reads the records up to `until`, and signs them if each follows. */
async function signRange(deps: AuditCheckpointerDeps, from: Standing, until: number): Promise<Standing | BrokenPlace> {
  const { auditStore } = deps;
  const writerId = auditStore.writerId();
  const nodes: AuditTreeNode[] = [];
  let { head } = from;
  while (head.seq < until) {
    const page = await auditStore.listRaw({ after: head.seq, until, limit: pageSize });
    if (page.length === 0) return { seq: head.seq + 1, reason: 'the record is gone before it was signed' };
    for (const row of page) {
      const next = auditStore.headIfUnchanged(row, head) ?? checkedHead(row, head, writerId);
      if ('reason' in next) return next;
      head = next;
      nodes.push(...from.tree.append(leafHash(row.body)).filter(({ level }) => level >= treeLevelMin));
    }
    await setImmediate();
  }
  return { ...from, head, lastCheckpoint: await signed(deps, { ...from, head }, nodes) };
}

function checkedHead({ body }: StoredRecord, head: ChainHead, writerId: string): ChainHead | BrokenPlace {
  const checked = checkRecord(body, head, writerId);
  return 'reason' in checked ? checked : { seq: checked.record.seq, hash: checked.record.hash };
}

async function signed(
  { database, auditStore, checkpointStore, signer, report, now }: AuditCheckpointerDeps,
  { head, tree, lastCheckpoint }: Standing,
  nodes: readonly AuditTreeNode[],
): Promise<CheckpointHead> {
  const made = signer.sign({
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
    await database.transaction((tx) => checkpointStore.append(tx, { signed: made, frontier: tree.frontier(), nodes }));
    // The copy that leaves the machine: the whole checkpoint, so that it can be held against the trail later.
    const { number, last_seq } = made.checkpoint;
    const fields = { checkpoint_number: number, audit_seq: last_seq, checkpoint: made.body };
    report({ kind: 'change', name: 'AUDIT_CHECKPOINT', fields }, span);
  });
  return checkpointHead(made);
}
