/** The calls of the last hour by minute, with percentiles of their latency. */
import type { Outcome } from '../../shapes/event.ts';
import { bucketLatencyMs } from '../../stores/views/latency-bucket.ts';
import type { CallMinute } from '../../stores/views/view-queries.ts';

/** Calls by outcome. */
export type OutcomeCounts = Record<Outcome, number>;

/** One minute. Percentiles are in milliseconds, exact to about a fifth, and undefined where there was no call. */
export interface RecentMinute {
  /** When it begins, Unix milliseconds. */
  time: number;
  outcomes: OutcomeCounts;
  latencyMsP50: number | undefined;
  latencyMsP95: number | undefined;
}

/** The last hour, and its totals. */
export interface RecentCalls extends Omit<RecentMinute, 'time'> {
  /** The oldest first, the present minute last. */
  minutes: RecentMinute[];
}

/** The minutes that are reported. */
export const recentMinutes = 60;

const minuteMs = 60_000;

/** The first minute of the last hour, in Unix minutes. */
export function firstRecentMinute(nowMs: number): number {
  return Math.floor(nowMs / minuteMs) - recentMinutes + 1;
}

/** The last hour from its counts; counts of other minutes are left out. */
export function recentCalls(counts: readonly CallMinute[], nowMs: number): RecentCalls {
  const first = firstRecentMinute(nowMs);
  const recent = counts.filter(({ minute }) => minute >= first && minute < first + recentMinutes);
  const byMinute = Map.groupBy(recent, ({ minute }) => minute);
  const minutes = Array.from({ length: recentMinutes }, (_, at) => ({
    time: (first + at) * minuteMs,
    ...summary(byMinute.get(first + at) ?? []),
  }));
  return { ...summary(recent), minutes };
}

function summary(counts: readonly CallMinute[]): Omit<RecentMinute, 'time'> {
  const outcomes: OutcomeCounts = { success: 0, error: 0, timeout: 0, abandoned: 0 };
  for (const { outcome, calls } of counts) outcomes[outcome] += calls;
  return { outcomes, latencyMsP50: percentile(counts, 0.5), latencyMsP95: percentile(counts, 0.95) };
}

/** The latency that this share of the calls does not exceed: nearest rank. */
function percentile(counts: readonly CallMinute[], share: number): number | undefined {
  const total = counts.reduce((sum, { calls }) => sum + calls, 0);
  let rank = Math.ceil(share * total);
  for (const { bucket, calls } of counts.toSorted((a, b) => a.bucket - b.bucket)) {
    rank -= calls;
    if (rank <= 0) return bucketLatencyMs(bucket);
  }
  return undefined;
}
