/**
 * Stalls of the event loop of this process, each by the clock, by the processor time of its thread, by the time in which that
 * thread waited for a processor, and by the time of garbage collections. What is left of the clock is time in which it was
 * blocked, as in a system call.
 */
import { openSync, readSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { z } from 'zod';

/** A time in which the loop did not turn, in milliseconds. `at` is Unix milliseconds. */
export interface LoopStall {
  at: number;
  ms: number;
  cpuMs: number;
  /** Waited for a processor that others used; 0 where the system does not tell (it is read from Linux's schedstat). */
  waitedMs: number;
  /** Garbage collections that ended in it. */
  collectedMs: number;
}

/** Stalls are watched with this interval, in milliseconds, which is also how exact they are. */
const intervalMs = 5;
/** From which length on a stall is listed, in milliseconds, by the clock or by the processor. */
const listedMsMin = 30;
const listedMax = 1000;

/** Watches the loop from now on. */
export function watchLoopStalls() {
  const waited = waitedForProcessor();
  let last = read(waited);
  let longest = { ms: 0, cpuMs: 0 };
  let stalls: LoopStall[] = [];
  const collections = watchCollections();
  const observe = () => {
    const now = read(waited);
    const ms = now.clockMs - last.clockMs - intervalMs;
    const cpuMs = now.cpuMs - last.cpuMs;
    longest = { ms: Math.max(longest.ms, ms), cpuMs: Math.max(longest.cpuMs, cpuMs) };
    const isListed = ms >= listedMsMin || cpuMs >= listedMsMin;
    if (isListed && stalls.length < listedMax) {
      const collectedMs = collections.msBetween(last.clockMs, now.clockMs);
      stalls.push({ at: Date.now(), ms, cpuMs, waitedMs: now.waitedMs - last.waitedMs, collectedMs });
    }
    last = now;
  };
  setInterval(observe, intervalMs).unref();
  return {
    /** The memory that JavaScript used after the last major collection, in bytes; 0 before the first one. */
    usedAfterCollection: collections.usedAfterMajor,
    /** What was observed since {@link reset}, including a stall that ends now. */
    report: () => {
      observe();
      return { longestStallMs: longest.ms, longestStallCpuMs: longest.cpuMs, stalls };
    },
    reset: () => {
      last = read(waited);
      longest = { ms: 0, cpuMs: 0 };
      stalls = [];
    },
  };
}

function read(waited: () => number) {
  const { user, system } = process.threadCpuUsage();
  return { clockMs: performance.now(), cpuMs: (user + system) / 1000, waitedMs: waited() };
}

const collectionDetail = z.object({ kind: z.number() });
/** Collections whose durations are kept. */
const collectionsMax = 1000;

/** Watches the garbage collections that V8 makes. */
function watchCollections() {
  let last: { endedAt: number; ms: number }[] = [];
  let usedBytes = 0;
  const note = (entries: readonly { startTime: number; duration: number; detail?: unknown }[]) => {
    for (const { startTime, duration, detail } of entries) {
      last.push({ endedAt: startTime + duration, ms: duration });
      if (collectionDetail.safeParse(detail).data?.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      const { heapUsed, external } = process.memoryUsage();
      usedBytes = heapUsed + external;
    }
    last = last.slice(-collectionsMax);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  return {
    usedAfterMajor: () => usedBytes,
    msBetween: (from: number, to: number) => {
      note(observer.takeRecords());
      return last.filter(({ endedAt }) => endedAt > from && endedAt <= to).reduce((sum, { ms }) => sum + ms, 0);
    },
  };
}

/** The milliseconds in which the main thread has waited for a processor. */
function waitedForProcessor(): () => number {
  const buffer = Buffer.alloc(128);
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
    return () => {
      const length = readSync(file, buffer, 0, buffer.length, 0);
      return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
    };
  } catch {
    return () => 0;
  }
}
