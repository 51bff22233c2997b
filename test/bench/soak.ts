/**
 * A long run at a steady rate: `npm run soak -- --minutes 10`. Measures what the hub can do, then asks for 80 % of that
 * and looks whether memory, latency and the audit gap stay as they were. Exits with 1 where they do not.
 */
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import { type HubProcess, residentMiB, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { supportServer } from '../support/servers/support-server.ts';

/** Share of the measured capacity that is asked for. */
const loadShare = 0.8;
const capacitySeconds = 15;
const warmUpSeconds = 15;
const callersAtOnce = 16;
/** Share of the calls that a machine busy with something else may make the hub refuse. */
const refusedShareMax = 0.01;
/** How much more the last third may need than the first: memory grows by caches and the write-ahead log at most. */
const memoryRatioMax = 1.15;
/** Medians of a shared machine differ by this much without any cause. */
const latencyRatioMax = 1.5;

interface Sample {
  atSeconds: number;
  residentMiB: number;
  latencyMsP50: number;
  latencyMsP99: number;
  calls: number;
  refused: number;
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = z.coerce.number().positive().max(240).parse(values.minutes);

const statusSchema = z.object({
  result: z.object({ structuredContent: z.object({ audit_gap: z.number(), calls_running: z.number() }) }),
});

async function hubStatus(hub: HubProcess) {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_mcp_hub_status', arguments: {} } };
  const headers = { accept: 'application/json, text/event-stream' };
  const text = await (await hub.fetch('/mcp', { json: body, headers })).text();
  return statusSchema.parse(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text)).result.structuredContent;
}

/** How long an answer took, in milliseconds; undefined where the hub was at its limit, which a noisy machine makes it. */
async function call(hub: HubProcess): Promise<number | undefined> {
  const startedAt = performance.now();
  const response = await hub.fetch('/v1/tools/faulty/pid/call', { json: {} });
  const answer = await response.text();
  if (response.status === 503) return undefined;
  if (!response.ok) throw new Error(`a call was answered ${response.status}: ${answer}`);
  return performance.now() - startedAt;
}

/** Calls a second that sixteen callers get who ask again as soon as they are answered. */
async function capacity(hub: HubProcess): Promise<number> {
  const until = performance.now() + capacitySeconds * 1000;
  let count = 0;
  const caller = async () => {
    for (; performance.now() < until; count += 1) await call(hub);
  };
  await Promise.all(Array.from({ length: callersAtOnce }, caller));
  return count / capacitySeconds;
}

/** Asks at a fixed rate, whether answers come or not, for `seconds`; answers the latencies in milliseconds, and how many were refused. */
async function steadily(hub: HubProcess, { perSecond, seconds }: { perSecond: number; seconds: number }) {
  const latencies: number[] = [];
  let refused = 0;
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let asked = 0; ; ) {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed >= seconds) break;
    for (; asked < elapsed * perSecond; asked += 1) {
      const work: Promise<void> = call(hub).then((ms) => {
        if (ms === undefined) refused += 1;
        else latencies.push(ms);
        underWay.delete(work);
      });
      underWay.add(work);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(underWay);
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
    // Short, so that the cleanup runs and deletes while calls go on.
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
const held =
  verdict.memoryRatio <= memoryRatioMax &&
  verdict.latencyRatio <= latencyRatioMax &&
  verdict.refused <= verdict.calls * refusedShareMax &&
  verdict.auditGap === 0 &&
  verdict.callsRunning === 0 &&
  verdict.trail;
process.exitCode = held ? 0 : 1;
