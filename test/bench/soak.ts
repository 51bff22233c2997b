/**
 * The soak test, a long run at a constant rate: `npm run soak -- --minutes 10`.
 * It measures the capacity of the hub, sends 80 % of it, and checks that memory, latency and the audit gap stay the same. The
 * exit code is 1 if they do not. With `--hostile`, the hub is attacked meanwhile, and its disk takes no byte for a minute.
 */
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { hostileSoak, type SoakVerdict } from '../attack/support/hostile-soak.ts';
import { type HubProcess, residentMiB, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { supportServer } from '../support/servers/support-server.ts';

/** The share of the measured capacity that is requested. */
const loadShare = 0.8;
const capacitySeconds = 15;
const warmUpSeconds = 15;
const callersAtOnce = 16;
/** The share of calls that may be refused, since the machine may be busy with something else. */
const refusedShareMax = 0.01;
/** The limit of the ratio of memory in the last third to that in the first. Caches and the write-ahead log may grow. */
const memoryRatioMax = 1.15;
/** The limit of the ratio of median latencies, which vary this much on a shared machine. */
const latencyRatioMax = 1.5;

interface Sample {
  atSeconds: number;
  residentMiB: number;
  latencyMsP50: number;
  latencyMsP99: number;
  calls: number;
  refused: number;
}

/** The share of good agents' calls that must be answered, and how much memory may grow within the last third. */
const answeredShareMin = 0.995;
const memoryRatioLastThirdMax = 1.1;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, hostile: { type: 'boolean', default: false } },
});
const minutes = z.coerce.number().positive().max(240).parse(values.minutes);
if (values.hostile) process.exit((await runHostileSoak(minutes)) ? 0 : 1);

/** Runs the soak under attack. Returns whether the hub withstood it. */
async function runHostileSoak(minutesLong: number): Promise<boolean> {
  const seconds = minutesLong * 60;
  const found = await hostileSoak({
    seconds,
    capacitySeconds,
    diskFullSeconds: Math.min(60, seconds / 4),
    onSample: ({ stalls, ...sample }) => {
      const { atSeconds, residentMib, usedMib, longestStallMs, longestStallCpuMs, answered, refused, isDiskFull } =
        sample;
      for (const stall of stalls) console.info(JSON.stringify({ atSeconds, stall }));
      if (atSeconds % 10 > 0) return;
      const stallMs = `${longestStallMs.toFixed()} (CPU ${longestStallCpuMs.toFixed()})`;
      const disk = isDiskFull ? ', disk full' : '';
      console.info(
        `${atSeconds} of ${seconds} s: ${usedMib} MiB used of ${residentMib}, stall ${stallMs} ms, ${answered} answered, ${refused} refused${disk}`,
      );
    },
  });
  console.info(JSON.stringify(found, undefined, 2));
  const bars = hostileBars(found);
  console.table(bars);
  return bars.every(({ met }) => met);
}

/** What the hub must withstand, and what was found. */
function hostileBars(found: SoakVerdict) {
  const bar = (name: string, must: string, value: number | boolean, met: boolean) => ({
    bar: name,
    must,
    found: typeof value === 'number' ? Math.round(value * 10_000) / 10_000 : value,
    met,
  });
  const { stallsOver100Ms: stalls, memoryRatioLastThird: memory, answeredShare: answered } = found;
  const { callsOffRecord: offRecord, auditGap, stallsOver100MsUnwaited: unwaited } = found;
  return [
    bar('crashed', 'false', found.crashed, !found.crashed),
    // The attackers use the same processors as the hub, which waits for them.
    bar('stalls over 100 ms, by the clock', 'shown', stalls, true),
    bar('of them without the wait for a processor', '0', unwaited, unwaited === 0),
    bar('of them by processor time', '0', found.stallsOver100MsCpu, found.stallsOver100MsCpu === 0),
    bar(
      'memory in the last third, after collection',
      `<= ${memoryRatioLastThirdMax}`,
      memory,
      memory <= memoryRatioLastThirdMax,
    ),
    bar('answered calls off record', `<= ${auditGap} counted`, offRecord, offRecord <= auditGap),
    bar('answered share of good agents', `>= ${answeredShareMin}`, answered, answered >= answeredShareMin),
    bar('trail intact', 'true', found.trailIntact, found.trailIntact),
  ];
}

const statusSchema = z.object({
  result: z.object({ structuredContent: z.object({ audit_gap: z.number(), calls_running: z.number() }) }),
});

async function hubStatus(hub: HubProcess) {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_mcp_hub_status', arguments: {} } };
  const headers = { accept: 'application/json, text/event-stream' };
  const text = await (await hub.fetch('/mcp', { json: body, headers })).text();
  return statusSchema.parse(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)).result.structuredContent;
}

/** The latency of a call in milliseconds; undefined if the hub was overloaded, as on a busy machine. */
async function call(hub: HubProcess): Promise<number | undefined> {
  const startedAt = performance.now();
  const response = await hub.fetch('/v1/tools/faulty/pid/call', { json: {} });
  const body = await response.text();
  if (response.status === 503) return undefined;
  if (!response.ok) throw new Error(`a call was answered ${response.status}: ${body}`);
  return performance.now() - startedAt;
}

/** The calls per second of 16 callers that call again as soon as they are answered. */
async function capacity(hub: HubProcess): Promise<number> {
  const until = performance.now() + capacitySeconds * 1000;
  let count = 0;
  const caller = async () => {
    for (; performance.now() < until; count += 1) await call(hub);
  };
  await Promise.all(Array.from({ length: callersAtOnce }, caller));
  return count / capacitySeconds;
}

/**
 * Calls at a fixed rate for `seconds`, whether answers come or not. Returns the sorted latencies in milliseconds and the number
 * of refused calls.
 */
async function steadily(hub: HubProcess, { perSecond, seconds }: { perSecond: number; seconds: number }) {
  const latencies: number[] = [];
  let refused = 0;
  const inFlight = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let started = 0; ; ) {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed >= seconds) break;
    for (; started < elapsed * perSecond; started += 1) {
      const work: Promise<void> = call(hub).then((ms) => {
        if (ms === undefined) refused += 1;
        else latencies.push(ms);
        inFlight.delete(work);
      });
      inFlight.add(work);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(inFlight);
  return { refused, latencies: latencies.sort((left, right) => left - right) };
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
const median = (values: number[]) =>
  quantile(
    values.toSorted((left, right) => left - right),
    0.5,
  );

async function samplesOf(hub: HubProcess, perSecond: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const seconds = minutes * 60;
  const every = Math.max(5, seconds / 60);
  const bar = process.stderr.isTTY ? new SingleBar({ format: '{bar} {value}/{total} s, {memory} MiB' }) : undefined;
  bar?.start(Math.round(seconds), 0, { memory: '' });
  for (let at = 0; at < seconds; at += every) {
    const { latencies, refused } = await steadily(hub, { perSecond, seconds: every });
    const sample = {
      atSeconds: Math.round(at + every),
      residentMiB: Math.round(residentMiB(hub)),
      latencyMsP50: quantile(latencies, 0.5),
      latencyMsP99: quantile(latencies, 0.99),
      calls: latencies.length,
      refused,
    };
    samples.push(sample);
    bar?.update(sample.atSeconds, { memory: sample.residentMiB });
    if (!bar) console.info(JSON.stringify(sample));
  }
  bar?.stop();
  return samples;
}

function lastToFirst(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const third = Math.max(1, Math.floor(samples.length / 3));
  return median(samples.slice(-third).map(value)) / median(samples.slice(0, third).map(value));
}

await using hub = await startHubProcess({
  file: {
    mcpServers: { faulty: supportServer('faulty-server.ts') },
    limits: { requestsPerMinute: 100_000_000 },
    // Short, so that cleanups delete outcomes during the run.
    retention: { outcomesDays: minutes / 1440 / 3, auditDays: 1 },
    scheduler: { intervalHours: 0.25 },
  },
});
await hub.ready();
await untilServersConnected(hub, 'faulty');
const perSecond = (await capacity(hub)) * loadShare;
console.info(JSON.stringify({ capacity: Math.round(perSecond / loadShare), perSecond: Math.round(perSecond) }));
await steadily(hub, { perSecond, seconds: warmUpSeconds });
const samples = await samplesOf(hub, perSecond);
const status = await hubStatus(hub);
const verdict = {
  minutes,
  calls: samples.reduce((sum, { calls }) => sum + calls, 0),
  refused: samples.reduce((sum, { refused }) => sum + refused, 0),
  memoryRatio: lastToFirst(samples, (sample) => sample.residentMiB),
  latencyRatio: lastToFirst(samples, (sample) => sample.latencyMsP50),
  auditGap: status.audit_gap,
  callsRunning: status.calls_running,
  trail: z.object({ intact: z.boolean() }).parse(await (await hub.fetch('/v1/audit/verify')).json()).intact,
};
console.info(JSON.stringify(verdict));
const isStable =
  verdict.memoryRatio <= memoryRatioMax &&
  verdict.latencyRatio <= latencyRatioMax &&
  verdict.refused <= verdict.calls * refusedShareMax &&
  verdict.auditGap === 0 &&
  verdict.callsRunning === 0 &&
  verdict.trail;
process.exitCode = isStable ? 0 : 1;
