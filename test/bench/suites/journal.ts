/**
 * The journal: what a record costs, with few and with many records stored; verification and retention of 1,000,000.
 * Costs are of the event loop's thread. The views follow in their own thread, which is part of what a record costs others.
 */
import { generateKeyPairSync, hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { auditEntry } from '../../../src/domain/audit/entry.ts';
import { trustedKey } from '../../../src/domain/audit/verification/key-ring.ts';
import { verifyTrail } from '../../../src/domain/audit/verification/trail-check.ts';
import { trailLines } from '../../../src/domain/audit/verification/trail-lines.ts';
import { signCheckpoint } from '../../../src/journal/checkpoint.ts';
import { type Journal, openJournal } from '../../../src/journal/journal.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import { noteSigner } from '../../../src/journal/signed-note.ts';
import { newId } from '../../../src/shapes/id.ts';
import { type AuditViews, createAuditViews } from '../../../src/stores/views/audit-views.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import { createTraceIds } from '../../../src/telemetry/trace-ids.ts';
import { longestStalls } from '../event-loop-stall.ts';
import { type Finding, figureFinding, withVerdict } from '../findings.ts';
import { quantile } from '../paired.ts';
import type { Suite, SuiteContext } from '../suite.ts';

const origin = 'hestia/bench';
const writerId = 'writer_bench';
/** Records of one measurement, and how many measurements the median is taken of. */
const sliceRecords = 2_000;
const slices = 15;
/** Records of one group while the journal is filled. */
const fillGroup = 100;

export const suite: Suite = {
  name: 'journal',
  about: 'what a record costs, and verification and retention of 1,000,000',
  async run({ isQuick, reportProgress }) {
    const [few, many] = isQuick ? [1_000, 20_000] : [10_000, 1_000_000];
    await using bench = await openBenchJournal({ isQuick });
    const findings: Finding[] = [];
    await grow(bench, few);
    const atFew = await costs(bench, isQuick ? 1 : slices);
    reportProgress(`the journal grows to ${many.toLocaleString('en')} records`);
    await grow(bench, many);
    const atMany = await costs(bench, isQuick ? 1 : slices);
    for (const group of [1, 16] as const) {
      const [before, after] = [atFew.get(group) ?? Number.NaN, atMany.get(group) ?? Number.NaN];
      findings.push(
        figureFinding(`a record with its outcome, ${group} a turn, CPU of the event loop`, 'us', before),
        withVerdict({
          name: `a record at 1,000,000 records against 10,000, ${group} a turn, CPU of the event loop`,
          unit: 'x',
          value: after / before,
          detail: `${after.toFixed(1)} to ${before.toFixed(1)} us`,
        }),
      );
    }
    reportProgress('verification and retention');
    findings.push(figureFinding('verification of 1,000,000 records, per record', 'us', await verifying(bench)));
    return [...findings, ...(await retention(bench, reportProgress))];
  },
};

interface BenchJournal extends AsyncDisposable {
  journal: Journal;
  views: AuditViews;
}

async function openBenchJournal({ isQuick }: { isQuick: boolean }): Promise<BenchJournal> {
  await using owned = new AsyncDisposableStack();
  const folder = owned.adopt(await mkdtemp(join(tmpdir(), 'hestia-bench-')), (path) => rm(path, { recursive: true }));
  const directory = join(folder, 'journal');
  // A quick run, too, has closed segments to delete.
  const limits = isQuick ? { segmentBytesMax: 1_048_576 } : {};
  const journal = owned.use(await openJournal({ directory, durability: 'normal', now: Date.now, limits }));
  const log = await openLog({ file: join(folder, 'hestia.log'), level: 'error', standardOutput: 'none' });
  const file = join(folder, 'views.db');
  const views = owned.use(createAuditViews({ file, journalDirectory: directory, journal, log }));
  const parts = owned.move();
  return { journal, views, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

async function grow({ journal, views }: BenchJournal, size: number): Promise<void> {
  while (journal.size() < size) await append(journal, Math.min(fillGroup, size - journal.size()));
  await views.waitFor(journal.size(), { timeoutMs: Number.POSITIVE_INFINITY });
}

/** Appends the records of `count` calls in one turn of the event loop, as the trail does. */
async function append(journal: Journal, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => appendCall(journal)));
}

const traceIds = createTraceIds();
const by = { agentId: 'agent', namespace: 'default', keyId: '0123456789abcdef', role: 'agent' } as const;
/** What a record has of its call's arguments and result. Computing it is no part of the record. */
const digests = { arguments: hash('sha256', 'arguments'), result: hash('sha256', 'result') };

/** Appends the record of a call with its outcome, which has the fields and the ids of a real one. */
async function appendCall(journal: Journal): Promise<void> {
  const ids = { traceId: traceIds.generateTraceId(), spanId: traceIds.generateSpanId() };
  const span = trace.wrapSpanContext({ ...ids, traceFlags: 1 });
  const fields = {
    agent_id: by.agentId,
    call_id: newId('call'),
    latency_ms: 1.25,
    namespace: by.namespace,
    outcome: 'success',
    server_id: 'echo',
    tool_name: 'echo',
  };
  const event = { kind: 'tool_outcome', outcome: 'success', fields } as const;
  const entry = auditEntry({ event, by, span, digests }, { writerId, timeMs: Date.now() });
  await journal.append((seq) => recordLine(entry, seq));
}

/** The CPU time of this thread for a record, in microseconds, by the number of records a turn: the median of the slices. */
async function costs({ journal }: BenchJournal, times: number): Promise<Map<1 | 16, number>> {
  const all = { 1: [] as number[], 16: [] as number[] };
  for (let at = 0; at < times; at += 1) {
    for (const group of [1, 16] as const) {
      const before = process.threadCpuUsage();
      for (let done = 0; done < sliceRecords; done += group) {
        await append(journal, group);
        await setImmediate();
      }
      const { user, system } = process.threadCpuUsage(before);
      all[group].push((user + system) / sliceRecords);
    }
  }
  return new Map([
    [1, quantile(all[1], 0.5)],
    [16, quantile(all[16], 0.5)],
  ]);
}

/** The CPU time to read and verify a record, in microseconds, averaged over all. */
async function verifying({ journal }: BenchJournal): Promise<number> {
  const signer = noteSigner(origin, generateKeyPairSync('ed25519').privateKey);
  const size = journal.size();
  const note = signCheckpoint({ origin, size, root: journal.tree.root() }, [signer]);
  const checkpoints = async function* () {
    yield { size, time: new Date().toISOString(), note };
  };
  const vkeys = () => [signer.vkey];
  const before = process.threadCpuUsage();
  const lines = trailLines({ journal, checkpoints, origin, writerId, vkeys }, size);
  const verdict = await verifyTrail(lines, { keys: vkeys().map(trustedKey) });
  if (!verdict.intact) throw new Error(verdict.firstBad?.reason);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / size;
}

/** How long a process without work is measured, without any work, for comparison. */
const idleMs = 3000;

/** The longest stall of the event loop while all closed segments are deleted, and their rows in the views. */
async function retention(
  { journal, views }: BenchJournal,
  reportProgress: SuiteContext['reportProgress'],
): Promise<Finding[]> {
  let records = 0;
  const { longestMs, longestCpuMs } = await longestStalls(async () => {
    const range = { before: Date.now() + 1000, coveredSize: journal.size() };
    ({ records } = await journal.retire(range));
    await views.prune(journal.firstSeq());
  });
  reportProgress(`${records.toLocaleString('en')} records deleted`);
  const idle = await longestStalls(() => delay(idleMs));
  const name = 'retention of 1,000,000 records, longest stall of the event loop';
  return [
    figureFinding(name, 'ms', longestMs, `${records.toLocaleString('en')} records in closed segments`),
    figureFinding(`${name}, processor time`, 'ms', longestCpuMs, 'without waiting for a processor'),
    figureFinding('no work for three seconds, longest stall of the event loop', 'ms', idle.longestMs, 'for comparison'),
  ];
}
