/**
 * Watches the memory of the process against a limit, as it is after garbage collection. The limit follows from the heap that V8
 * gives the process, and from the memory of its container.
 */
import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The memory of the process. */
export interface MemoryWatch extends Disposable {
  /** The limit, in bytes. */
  readonly limitBytes: number;
  /** Whether the process holds more than the limit. Cheap: the memory is read at most every 100 ms. */
  isOver(): boolean;
}

/** Options of a watch. Bytes are those of the heap with external buffers. */
export interface MemoryWatchOptions {
  limitBytes: number;
  /** Called when the memory exceeds the limit, and when it no longer does, each with the bytes read. */
  onChange(isOver: boolean, bytes: number): void;
  /** The bytes held now, with garbage. */
  read?: () => number;
  /** Collects garbage. */
  collect?: () => void;
}

/** Of the heap that V8 allows, the part that may be held. The rest is for garbage, and for the answers in progress. */
const heapShare = 0.7;
/** Of the memory of the container or machine, the part that may be held. The rest is for code, threads and garbage. */
const machineShare = 0.5;

/** The bytes that this process may hold: of its heap, and of the memory of its container or machine. */
export function memoryLimitBytes(configuredBytes: number | undefined): number {
  const constrained = process.constrainedMemory();
  const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const derived = Math.floor(Math.min(getHeapStatistics().heap_size_limit * heapShare, machine * machineShare));
  return Math.min(configuredBytes ?? derived, derived);
}

/** The greatest age of a reading, in milliseconds: a reading costs 10 us, a request not much more. */
const readingMsMax = 100;
/** The greatest age of a reading after garbage collection, in milliseconds, until garbage is collected for a new one. */
const collectedMsMax = 2000;

/** Starts a watch. */
export function watchMemory(options: MemoryWatchOptions): MemoryWatch {
  const { limitBytes, onChange, read = heldBytes, collect = collectGarbage } = options;
  let readAt = Number.NEGATIVE_INFINITY;
  let collected = { at: Number.NEGATIVE_INFINITY, bytes: 0 };
  let isOver = false;
  const noteCollected = () => {
    collected = { at: performance.now(), bytes: read() };
  };
  const observer = new PerformanceObserver((entries) => {
    if (entries.getEntries().some((entry) => isMajorCollection(entry))) noteCollected();
  });
  observer.observe({ entryTypes: ['gc'] });
  const refresh = () => {
    const bytes = read();
    // Garbage is no reason to refuse a request: it is collected first, unless V8 just has.
    if (bytes > limitBytes && performance.now() - collected.at > collectedMsMax) {
      collect();
      noteCollected();
    }
    const heldNow = Math.min(bytes, collected.bytes > 0 ? collected.bytes : bytes);
    const isOverNow = bytes > limitBytes && heldNow > limitBytes;
    if (isOverNow !== isOver) onChange(isOverNow, heldNow);
    isOver = isOverNow;
  };
  return {
    limitBytes,
    isOver: () => {
      const now = performance.now();
      if (now - readAt > readingMsMax) {
        refresh();
        readAt = performance.now();
      }
      return isOver;
    },
    [Symbol.dispose]: () => observer.disconnect(),
  };
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function isMajorCollection(entry: object): boolean {
  const detail = 'detail' in entry ? entry.detail : undefined;
  const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

let exposed: (() => void) | undefined;

/** V8 shows its garbage collector to new contexts only, once its flag is set. */
function collectGarbage(): void {
  if (exposed === undefined) {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    exposed = typeof gc === 'function' ? () => void gc() : () => undefined;
  }
  exposed();
}
