/**
 * The hub with twice the callers that it admits: answered calls, latency and `Retry-After` of refusals.
 * Refused callers retry after a fiftieth of the time that `Retry-After` asks for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { HubProcess } from '../../support/hub/hub-process.ts';
import { echoOverStdio, message, startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { type Finding, figureFinding, ratioFinding } from '../findings.ts';
import { cpuMs } from '../load.ts';
import { quantile, type Slice, type Subject } from '../paired.ts';
import type { Suite } from '../suite.ts';

/** The number of concurrent calls that the hub admits, and of callers at its capacity. More do not increase the throughput. */
const places = 64;

export const suite: Suite = {
  name: 'overload',
  about: 'twice the calls that the hub has places for',
  async run({ paired }) {
    await using sink = await startBenchScript('processes/signal-sink.ts');
    const limits = { requestsPerMinute: 100_000_000, requestsRunningMax: places };
    await using hub = await startBenchHub({ servers: { echo: echoOverStdio }, otlpUrl: sink.url, file: { limits } });
    await using pools = new AsyncDisposableStack();
    const pool = pools.adopt(new Pool(hub.url, { connections: 2 * places }), (open) => open.close());
    const refusals: Refusal[] = [];
    const subject = (name: string, callers: number): Subject => ({
      name,
      slice: (durationMs) => loadSlice(hub, pool, { durationMs, callers, refusals }),
    });
    const run = await paired('overload', [subject('capacity', places), subject('twice', 2 * places)]);
    return [
      ratioFinding(run, {
        name: 'throughput at twice the capacity against the most',
        measure: 'throughput',
        subject: 'twice',
      }),
      // The hub's own cost of refusals, since the load and the upstream share the machine with it.
      ratioFinding(run, {
        name: 'CPU of an answered call at twice the capacity against the most',
        measure: 'cpu',
        subject: 'twice',
      }),
      ...refusalFindings(refusals),
    ];
  },
};

interface Refusal {
  ms: number;
  retryAfter: string | undefined;
}

function refusalFindings(refusals: readonly Refusal[]): Finding[] {
  if (refusals.length === 0) throw new Error('nothing was refused: the hub was not overloaded');
  const wrong = refusals.find(({ retryAfter }) => !/^[1-9]\d*$/.test(retryAfter ?? ''));
  if (wrong !== undefined) throw new Error(`a refusal had the Retry-After "${wrong.retryAfter}"`);
  const ms = refusals.map((refusal) => refusal.ms);
  const detail = `of ${refusals.length}, all with Retry-After`;
  return [
    figureFinding('refusal at twice the capacity, p50', 'ms', quantile(ms, 0.5), detail),
    figureFinding('refusal at twice the capacity, p99', 'ms', quantile(ms, 0.99), detail),
  ];
}

/** How long a refused caller waits, in milliseconds, although `Retry-After` asks for a second. */
const refusedWaitMs = 20;

async function loadSlice(
  hub: HubProcess,
  pool: Pool,
  { durationMs, callers, refusals }: { durationMs: number; callers: number; refusals: Refusal[] },
): Promise<Slice> {
  const pid = hub.child.pid ?? 0;
  const headers = { authorization: `Bearer ${hub.key()}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ arguments: { message } });
  const latenciesMs: number[] = [];
  const cpuBefore = cpuMs(pid);
  const startedAt = performance.now();
  let answeredAt = startedAt;
  const caller = async () => {
    while (performance.now() < startedAt + durationMs) {
      const calledAt = performance.now();
      const answer = await pool.request({ path: '/v1/tools/echo/echo/call', method: 'POST', headers, body });
      const text = await answer.body.text();
      const ms = performance.now() - calledAt;
      if (answer.statusCode === 200) {
        latenciesMs.push(ms);
        answeredAt = performance.now();
        continue;
      }
      if (answer.statusCode !== 503) throw new Error(`the hub answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      const retryAfter = answer.headers['retry-after'];
      refusals.push({ ms, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined });
      await delay(refusedWaitMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  // Until the last answered call, since refused callers that still wait do not load the hub.
  return { latenciesMs, wallMs: answeredAt - startedAt, cpuMs: cpuMs(pid) - cpuBefore };
}
