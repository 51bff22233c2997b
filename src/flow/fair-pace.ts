/**
 * Paces the requests of keys that flood, while the event loop is busy and other keys make requests. A key that makes one
 * request after the other never waits: only what a key does at the same time is paced, in turns by key. The pace falls while the
 * loop is too busy, and grows otherwise. Of the keys with waiting requests the one that got least has the next turn, by the cost
 * of its requests.
 */
import { performance } from 'node:perf_hooks';

/** The pace. Each request that has entered must leave. */
export interface FairPace {
  /**
   * Enters a request of the key. Undefined if it may proceed at once, or a promise that resolves when it may.
   * @param cost how much work it is, as a multiple of that of a short request
   */
  enter(key: string, cost?: number): Promise<void> | undefined;
  leave(key: string): void;
}

/** Options of a pace, for tests. */
export interface FairPaceOptions {
  /** The part of the time since the last call in which the event loop was busy, from 0 to 1. */
  utilization?: () => number;
  /** Monotonic time in milliseconds. */
  now?: () => number;
}

interface Key {
  /** Requests that have entered and not left, without those that wait. */
  running: number;
  waiting: { release: () => void; cost: number }[];
  /** The cost of its requests that had to wait, compared with that of other keys. */
  spent: number;
  /** When a request of the key last entered or left. */
  usedAt: number;
}

const tickMs = 20;
/** The longest time for which a late tick grants credit, in milliseconds. */
const tickMsMax = 500;
/** How long a key counts as active after its last request, in milliseconds. */
const activeMs = 1000;
/** The busy part of the event loop from which keys are paced. */
const utilizationMax = 0.5;
/** The weight of the last tick in the average utilization. */
const tickWeight = 0.3;
const slowerFactor = 0.7;
const fasterFactor = 1.03;
/** The growth of the pace in each tick while one key is alone. */
const aloneFactor = 1.5;
/** The slowest pace of all paced requests together, for each second: a flood is slowed, but not stopped. */
const perSecondMin = 20;
/** From this pace on, nothing is paced. */
const perSecondMax = 4000;

/** Creates the pace. Its timer runs only while there are requests. */
export function createFairPace(options: FairPaceOptions = {}): FairPace {
  const { utilization = loopUtilization(), now = () => performance.now() } = options;
  const keys = new Map<string, Key>();
  let timer: NodeJS.Timeout | undefined;
  let perSecond = perSecondMax;
  let credit = 0;
  let average = 0;
  let tickedAt = 0;

  const tick = () => {
    average += tickWeight * (utilization() - average);
    const isShared = countActive(keys, now() - activeMs) > 1;
    const sharedFactor = average > utilizationMax ? slowerFactor : fasterFactor;
    perSecond = Math.min(perSecondMax, Math.max(perSecondMin, perSecond * (isShared ? sharedFactor : aloneFactor)));
    // A busy loop or machine delays ticks, which must not slow the pace.
    const elapsedMs = Math.min(tickMsMax, now() - tickedAt);
    tickedAt = now();
    const perTick = (perSecond * elapsedMs) / 1000;
    credit = releaseInTurns(keys, Math.min(credit + perTick, Math.max(1, perTick)));
    if (keys.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const keyOf = (id: string): Key => {
    const key = keys.get(id) ?? { running: 0, waiting: [], usedAt: 0, spent: 0 };
    keys.set(id, key);
    key.usedAt = now();
    if (timer === undefined) {
      tickedAt = now();
      timer = setInterval(tick, tickMs).unref();
    }
    return key;
  };
  return {
    enter: (id, cost = 1) => {
      const key = keyOf(id);
      const isPaced = perSecond < perSecondMax && (key.running > 0 || key.waiting.length > 0);
      if (isPaced) {
        // A key that had none waiting does not catch up on what it did not want.
        if (key.waiting.length === 0) key.spent = Math.max(key.spent, leastSpent(keys));
        return new Promise((release) => key.waiting.push({ release, cost }));
      }
      key.running += 1;
      return undefined;
    },
    leave: (id) => {
      keyOf(id).running -= 1;
    },
  };
}

/**
 * Releases waiting requests while there is credit, and returns what is left of it. The next one is that of the key that has spent least (start-time fair queueing: Goyal et al., SIGCOMM 1996).
 */
function releaseInTurns(keys: Map<string, Key>, credit: number): number {
  let left = credit;
  while (left >= 1) {
    const key = [...keys.values()].filter(({ waiting }) => waiting.length > 0).reduce(poorer, undefined);
    const next = key?.waiting.shift();
    if (key === undefined || next === undefined) break;
    left -= 1;
    key.spent += next.cost;
    key.running += 1;
    next.release();
  }
  return left;
}

function poorer(one: Key | undefined, other: Key): Key {
  return one === undefined || other.spent < one.spent ? other : one;
}

/** The least that a key with waiting requests has spent. */
function leastSpent(keys: ReadonlyMap<string, Key>): number {
  const spent = [...keys.values()].filter(({ waiting }) => waiting.length > 0).map((key) => key.spent);
  return spent.length === 0 ? 0 : Math.min(...spent);
}

/** Counts the keys that were used since then, and forgets the others, but for those with requests. */
function countActive(keys: Map<string, Key>, usedSince: number): number {
  let count = 0;
  for (const [id, { running, waiting, usedAt }] of keys) {
    if (usedAt >= usedSince) count += 1;
    else if (running === 0 && waiting.length === 0) keys.delete(id);
  }
  return count;
}

function loopUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, last);
    last = current;
    return utilization;
  };
}
