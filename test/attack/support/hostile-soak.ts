/**
 * A soak under attack: good agents at a constant rate beside an abusive one, a server that flaps, one that lists 10,000 tools
 * every five seconds, and a disk that takes no byte for a while in the middle.
 */
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { residentMiB, untilServersConnected } from '../../support/hub/hub-process.ts';
import { type AttackedHub, type AttackKey, startAttackedHub } from './attacked-hub.ts';
import { createHostileUpstream } from './hostile-upstream.ts';
import type { LoopStall } from './loop-stalls.ts';

/** How long the soak is, and its parts, in seconds. */
export interface HostileSoakOptions {
  seconds: number;
  capacitySeconds: number;
  diskFullSeconds: number;
  /** Called with each sample. */
  onSample?(sample: SoakSample): void;
}

/** What is measured about every second. */
export interface SoakSample {
  atSeconds: number;
  isDiskFull: boolean;
  residentMib: number;
  /** What JavaScript used after the last major garbage collection. */
  usedMib: number;
  longestStallMs: number;
  longestStallCpuMs: number;
  /** The stalls over 30 ms. */
  stalls: readonly LoopStall[];
  answered: number;
  refused: number;
}

/** What the soak found. */
export interface SoakVerdict {
  callsPerSecond: number;
  crashed: boolean;
  /** Calls of good agents that were answered and refused, while the disk took writes and over all. */
  answered: number;
  refused: number;
  answeredShare: number;
  answeredShareOverall: number;
  abusiveRequests: number;
  /**
   * Stalls of the event loop over 100 ms while the disk took writes: by the clock, by the clock less the time in which the
   * thread waited for a processor that others used, and by the processor time of the thread.
   */
  stallsOver100Ms: number;
  stallsOver100MsUnwaited: number;
  stallsOver100MsCpu: number;
  longestStallMs: number;
  longestStallCpuMs: number;
  /** Of them the longest, by the clock, of at most 20. */
  stalls: readonly LoopStall[];
  /** Median memory after garbage collection in the second half of the last third, over that in its first half. */
  memoryRatioLastThird: number;
  /** The same of the resident memory of the process, in which V8 leaves garbage while there is room. */
  residentRatioLastThird: number;
  /** Calls of good agents that were answered and are not on record, and those that the hub itself counts. */
  callsOffRecord: number;
  auditGap: number;
  trailIntact: boolean;
}

/** The share of the capacity that good agents use. */
const loadShare = 0.7;
const goodAgents = 4;
const abusiveConcurrency = 8;
const listedTools = 10_000;
const listEveryMs = 5000;
const stallMs = 100;
const stallsShownMax = 20;

/** Runs the soak, and returns what it found. */
export async function hostileSoak(options: HostileSoakOptions): Promise<SoakVerdict> {
  using honest = createHostileUpstream();
  using flapping = createHostileUpstream({ dieAfterMs: 1500 });
  using listing = createHostileUpstream({ generated: { count: listedTools, bytes: 40 } });
  const mcpServers = {
    honest: honest.configuration,
    flapping: flapping.configuration,
    listing: listing.configuration,
  };
  const limits = { requestsPerMinute: 100_000_000, reconnectDelayMsMax: 2000, serverQuarantineMs: 5000 };
  await using hub = await startAttackedHub({ file: { mcpServers, limits } });
  await untilServersConnected(hub, 'honest', 'listing');
  const keys = await Promise.all(Array.from({ length: goodAgents }, (_, at) => hub.agent(`good-${at}`)));
  const abusive = await hub.agent('abusive');
  const callsPerSecond = Math.max(1, (await capacity(keys, options.capacitySeconds)) * loadShare);
  await hub.operator.call('listing', 'run', { commands: [{ do: 'announce', everyMs: listEveryMs }] });
  await hub.probe();
  const counts = new Counts();
  const end = new AbortController();
  const attack = attackUntil(abusive, end.signal);
  const load = loadUntil(keys, { callsPerSecond, counts, end: end.signal });
  const samples = await observe(hub, { ...options, counts });
  end.abort();
  await load;
  const abusiveRequests = await attack;
  return { callsPerSecond: Math.round(callsPerSecond), abusiveRequests, ...(await verdict(hub, { samples, counts })) };
}

/** Answers that good agents got, while the disk took writes and while it did not. */
class Counts {
  isDiskFull = false;
  answered = 0;
  refused = 0;
  answeredWhileFull = 0;
  refusedWhileFull = 0;

  add(isAnswered: boolean, wasFull: boolean): void {
    if (isAnswered && wasFull) this.answeredWhileFull += 1;
    else if (isAnswered) this.answered += 1;
    else if (wasFull) this.refusedWhileFull += 1;
    else this.refused += 1;
  }
}

async function isAnswered(key: AttackKey): Promise<boolean> {
  const answer = await key.call('honest', 'run').catch(() => undefined);
  return answer?.status === 200;
}

/** The calls per second of good agents that call again as soon as they are answered. */
async function capacity(keys: readonly AttackKey[], seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let count = 0;
  const caller = async (key: AttackKey) => {
    for (; performance.now() < until; count += 1) await isAnswered(key);
  };
  await Promise.all([...keys, ...keys, ...keys, ...keys].map(caller));
  return count / seconds;
}

/** Calls at a fixed rate, whether answers come or not. A call that spans the state of the disk counts for the full disk. */
async function loadUntil(
  keys: readonly AttackKey[],
  { callsPerSecond, counts, end }: { callsPerSecond: number; counts: Counts; end: AbortSignal },
): Promise<void> {
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let started = 0; !end.aborted; ) {
    for (const due = ((performance.now() - startedAt) / 1000) * callsPerSecond; started < due; started += 1) {
      const key = keys[started % keys.length];
      if (key === undefined) return;
      const wasFull = counts.isDiskFull;
      const work: Promise<void> = isAnswered(key).then((answered) => {
        counts.add(answered, wasFull || counts.isDiskFull);
        running.delete(work);
      });
      running.add(work);
    }
    await delay(5);
  }
  await Promise.all(running);
}

/** Everything that an agent may try, as fast as it can. Returns the number of requests. */
async function attackUntil(key: AttackKey, end: AbortSignal): Promise<number> {
  let count = 0;
  const skill = `---\nname: bulk\ndescription: Bulk.\n---\n\n${'x'.repeat(500_000)}`;
  const attacks: (() => Promise<unknown>)[] = [
    () => key.call('honest', 'run', { text: 'x'.repeat(200_000) }),
    () => key.call('honest', 'run', { answerAfterMs: 1000 }, { timeoutMs: 100 }),
    () => key.call('honest', 'absent'),
    () => key.call('listing', 'generated_1', { x: '['.repeat(50_000) }),
    () => key.fetch('/v1/tools/search', { json: { query: `words of attack ${count}` } }).then((r) => r.text()),
    () => key.mcp('tools/list'),
    () => key.fetch('/v1/scheduler/run', { method: 'POST' }).then((r) => r.text()),
    () => key.fetch('/mcp', { method: 'POST', body: '[],'.repeat(30_000) }).then((r) => r.text()),
    () =>
      key
        .fetch('/v1/skills/bulk', {
          method: 'PUT',
          headers: { 'content-type': 'text/markdown' },
          body: `${skill}${count % 3}`,
        })
        .then((r) => r.text()),
  ];
  const loop = async () => {
    while (!end.aborted) {
      count += 1;
      await attacks[count % attacks.length]?.().catch(() => delay(10));
    }
  };
  await Promise.all(Array.from({ length: abusiveConcurrency }, loop));
  return count;
}

/** Samples the hub each second, and lets its disk take no byte in the middle. */
async function observe(
  hub: AttackedHub,
  { seconds, diskFullSeconds, counts, onSample }: HostileSoakOptions & { counts: Counts },
): Promise<SoakSample[]> {
  const samples: SoakSample[] = [];
  const startedAt = performance.now();
  const from = (seconds - diskFullSeconds) / 2;
  for (let at = 0; at < seconds && hub.child.exitCode === null; ) {
    const shouldBeFull = at >= from && at < from + diskFullSeconds;
    if (shouldBeFull !== counts.isDiskFull) {
      setDiskFull(hub, shouldBeFull);
      counts.isDiskFull = shouldBeFull;
    }
    await delay(1000);
    const stalled = await hub.stalls();
    at = (performance.now() - startedAt) / 1000;
    const { answered, refused, isDiskFull } = counts;
    const residentMib = Math.round(residentMiB(hub));
    const usedMib = Math.round(stalled.usedAfterCollectionMib);
    const { longestStallMs, longestStallCpuMs, stalls } = stalled;
    const stallsFound = { longestStallMs, longestStallCpuMs, stalls };
    const sample = { atSeconds: Math.round(at), isDiskFull, residentMib, usedMib, ...stallsFound, answered, refused };
    samples.push(sample);
    onSample?.(sample);
  }
  return samples;
}

/** Makes each write of the process to a file fail, or succeed again (RLIMIT_FSIZE), on any disk and without rights. */
function setDiskFull({ child }: AttackedHub, isFull: boolean): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${child.pid}`, `--fsize=${isFull ? '0:' : 'unlimited:'}`]);
  if (status !== 0) throw new Error(`the limit of file sizes was not set: ${stderr}`);
}

const statusSchema = z.object({ result: z.object({ structuredContent: z.object({ audit_gap: z.number() }) }) });

async function verdict(hub: AttackedHub, { samples, counts }: { samples: readonly SoakSample[]; counts: Counts }) {
  const crashed = hub.child.exitCode !== null || hub.child.signalCode !== null;
  const calm = samples.filter(({ isDiskFull }) => !isDiskFull);
  const stalls = calm.flatMap((sample) => sample.stalls);
  const total = counts.answered + counts.answeredWhileFull;
  const sent = total + counts.refused + counts.refusedWhileFull;
  const found = {
    crashed,
    answered: counts.answered,
    refused: counts.refused,
    answeredShare: counts.answered / (counts.answered + counts.refused),
    answeredShareOverall: total / sent,
    stallsOver100Ms: stalls.filter(({ ms }) => ms > stallMs).length,
    stallsOver100MsUnwaited: stalls.filter(({ ms, waitedMs }) => ms - waitedMs > stallMs).length,
    stallsOver100MsCpu: stalls.filter(({ cpuMs }) => cpuMs > stallMs).length,
    longestStallMs: Math.max(0, ...calm.map(({ longestStallMs }) => longestStallMs)),
    longestStallCpuMs: Math.max(0, ...calm.map(({ longestStallCpuMs }) => longestStallCpuMs)),
    stalls: stalls.toSorted((one, other) => other.ms - one.ms).slice(0, stallsShownMax),
    memoryRatioLastThird: ratioLastThird(samples.map(({ usedMib }) => usedMib)),
    residentRatioLastThird: ratioLastThird(samples.map(({ residentMib }) => residentMib)),
  };
  if (crashed) return { ...found, callsOffRecord: Number.NaN, auditGap: Number.NaN, trailIntact: false };
  const { body } = await hub.operator.mcp('tools/call', { name: 'get_mcp_hub_status', arguments: {} });
  const auditGap = statusSchema.parse(body).result.structuredContent.audit_gap;
  const verified = await hub.operator.fetch('/v1/audit/verify');
  const { intact } = z.object({ intact: z.boolean() }).parse(await verified.json());
  const recorded = await recordedSuccesses(hub);
  // The measurement of the capacity is on record too, so that this is a lower bound of what is missing.
  return { ...found, callsOffRecord: Math.max(0, total - recorded), auditGap, trailIntact: intact };
}

/** The successful calls of good agents in the exported trail. */
async function recordedSuccesses(hub: AttackedHub): Promise<number> {
  const { body } = await hub.operator.fetch('/v1/audit/export');
  if (body === null) return 0;
  let count = 0;
  for await (const line of createInterface({ input: Readable.fromWeb(body), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.includes('TOOL_OUTCOME') && line.includes('good-') && line.includes('"success"')) count += 1;
  }
  return count;
}

function ratioLastThird(values: readonly number[]): number {
  const last = values.slice(-Math.max(2, Math.floor(values.length / 3)));
  const half = Math.floor(last.length / 2);
  return median(last.slice(half)) / median(last.slice(0, half));
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
