/** Polls Prometheus for firing alerts. Reads only. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError, exitCodes } from '../command-error.ts';

/** An alert of one deployment. `job` undefined matches any deployment; an alert without a label `job` matches every one. */
export interface WatchedAlert {
  name: string;
  job: string | undefined;
}

/** Waits for alerts. Resolves with the other alerts that fire at that moment, or with undefined after `timeoutMs`. */
export interface AlertWatch {
  untilFiring(alert: WatchedAlert, timeoutMs: number): Promise<readonly string[] | undefined>;
  untilResolved(alert: WatchedAlert, timeoutMs: number): Promise<readonly string[] | undefined>;
  /** Waits until Prometheus has metrics of a hub with a connected server. @throws CommandError after `timeoutMs` */
  untilSeen(instance: string, timeoutMs: number): Promise<void>;
}

const alertsSchema = z.object({
  data: z.object({ alerts: z.array(z.object({ state: z.string(), labels: z.record(z.string(), z.string()) })) }),
});
const seriesSchema = z.object({ data: z.object({ result: z.array(z.unknown()) }) });

/** Creates a watch of the Prometheus at `url`, which is queried every `pollMs`. */
export function createAlertWatch(url: string, { pollMs, signal }: { pollMs: number; signal: AbortSignal }): AlertWatch {
  const firing = async () => {
    const { data } = alertsSchema.parse(await query(url, '/api/v1/alerts', signal));
    return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  };
  const until = async <T>(check: () => Promise<T | undefined>, timeoutMs: number): Promise<T | undefined> => {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const found = await check();
      if (found !== undefined) return found;
      await delay(pollMs, undefined, { signal });
    }
    return undefined;
  };
  const untilState = ({ name, job }: WatchedAlert, wanted: boolean, timeoutMs: number) =>
    until(async () => {
      const all = await firing();
      const isWatched = (labels: Record<string, string>) =>
        labels.alertname === name && (job === undefined || labels.job === undefined || labels.job === job);
      if (all.some(isWatched) !== wanted) return undefined;
      return [...new Set(all.map(({ alertname = '' }) => alertname))].filter((other) => other !== name).sort();
    }, timeoutMs);
  return {
    untilFiring: (alert, timeoutMs) => untilState(alert, true, timeoutMs),
    untilResolved: (alert, timeoutMs) => untilState(alert, false, timeoutMs),
    untilSeen: async (instance, timeoutMs) => {
      const path = `/api/v1/query?${new URLSearchParams({ query: `hestia_servers_connected{instance="${instance}"} == 1` })}`;
      const seen = await until(async () => {
        const { data } = seriesSchema.parse(await query(url, path, signal));
        return data.result.length > 0 ? true : undefined;
      }, timeoutMs);
      if (seen === undefined)
        throw new CommandError(
          exitCodes.failed,
          `Prometheus has no metrics of the hub ${instance} with a connected server; check that the collector receives them`,
        );
    },
  };
}

async function query(url: string, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}${path}`, { signal });
    return await response.json();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new CommandError(exitCodes.unreachable, `no Prometheus answers at ${url}`, { cause });
  }
}
