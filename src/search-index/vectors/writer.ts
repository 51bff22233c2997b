/**
 * The background writer of a vector store: embeds and writes changed entries in batches, with retries.
 * It reads the state of an entry when it writes it, so that the store ends up with the latest state whatever failed before.
 */
import { createBackgroundRetry } from '../../flow/background-retry.ts';
import { createRepeatedWork } from '../../flow/repeated-work.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Embeddings, EmbeddingsError } from './embeddings.ts';
import { type VectorEntry, type VectorLabels, type VectorStore, vectorBatchMax } from './store.ts';

/** An entry before it has a vector. */
export interface VectorItem {
  text: string;
  digest: string;
  labels: VectorLabels;
}

/** The writer. Disposing stops it. Entries still waiting are found by the comparison after the next start. */
export interface VectorWriter extends AsyncDisposable {
  /** Enqueues an entry that was added, changed or removed. Returns at once. */
  enqueue(id: string): void;
  /** Compares all entries with the store and writes the differences: after a start, and when the store is available again. */
  resync(): void;
  /** The number of entries waiting to be written. */
  backlog(): number;
  /**
   * Reports the current length of the model's vectors. If it changed, entries of another length are written again: a service may
   * serve another model under the same name.
   */
  observeLength(length: number): void;
  /** Resolves when no entry is waiting; for tests. */
  settled(): Promise<void>;
}

/** Dependencies of the writer. */
export interface VectorWriterDeps {
  embeddings: Embeddings;
  store: VectorStore;
  /** The current state of the entries of these ids. Entries that should not be stored are missing. */
  items: (ids: readonly string[]) => Promise<ReadonlyMap<string, VectorItem>>;
  /** The digests of all entries that should be stored, by id. */
  digests: () => Promise<ReadonlyMap<string, string>>;
  /** Whether the store is available. When it becomes available, `resync` must be called. */
  isReady: () => boolean;
  log: Log;
  /** Set in tests. */
  removalGraceMs?: number;
}

/** The most waiting ids. Beyond it they are dropped, and a comparison with the store finds them again. */
export const backlogMax = 20_000;

/** How long after a start no missing entries are removed from the store, since servers are still connecting. */
const removalGraceMs = 60_000;
/** The interval of comparisons with the store, even if it was always available. */
const comparisonIntervalMs = 3_600_000;

/** Creates the writer and starts it. The first comparison waits for {@link VectorWriter.resync}. */
export function createVectorWriter(deps: VectorWriterDeps): VectorWriter {
  const waiting = createWaitingIds();
  const graceMs = deps.removalGraceMs ?? removalGraceMs;
  const createdAt = performance.now();
  let length: number | undefined;
  const work = createBackgroundRetry({
    isNeeded: () => waiting.isResyncNeeded() || waiting.size() > 0,
    isReady: deps.isReady,
    step: () =>
      waiting.isResyncNeeded()
        ? waiting.replaced(async (before) => [
            // Entries that were removed on purpose, even if others may not be removed yet.
            ...(await missing(deps, before)),
            ...(await differing(deps, { length, mayRemove: performance.now() - createdAt >= graceMs })),
          ])
        : waiting.taken(async (ids) => {
            length = (await write(deps, ids)) ?? length;
          }),
    onFailing: (error) => warn(deps.log, error),
    onRecovered: (error) => {
      if (!(error instanceof EmbeddingsError)) deps.log.info('Vectors are up to date again');
    },
  });
  const resync = () => {
    waiting.requestResync();
    work.now();
  };
  const comparison = createRepeatedWork({ run: resync, intervalMs: () => comparisonIntervalMs });
  comparison.runIn(graceMs);
  return {
    enqueue(id) {
      waiting.add(id);
      work.soon();
    },
    resync,
    backlog: waiting.size,
    observeLength(seen) {
      const hasChanged = length !== undefined && length !== seen;
      length = seen;
      if (hasChanged) resync();
    },
    settled: work.settled,
    async [Symbol.asyncDispose]() {
      comparison[Symbol.dispose]();
      await work[Symbol.asyncDispose]();
    },
  };
}

/** The ids waiting to be written, or the request for a comparison that finds them. A failed step changes nothing. */
function createWaitingIds() {
  const ids = new Set<string>();
  let isResyncNeeded = false;
  let isOverflowed = false;
  return {
    add(id: string): void {
      ids.add(id);
      if (ids.size <= backlogMax) return;
      ids.clear();
      isResyncNeeded = true;
      isOverflowed = true;
    },
    requestResync: () => {
      isResyncNeeded = true;
    },
    isResyncNeeded: () => isResyncNeeded,
    size: () => (isOverflowed ? backlogMax : ids.size),
    /** Replaces the waiting ids with those that a comparison finds. Ids added during it are kept. */
    async replaced(compare: (before: readonly string[]) => Promise<string[]>): Promise<void> {
      isResyncNeeded = false;
      const before = [...ids];
      ids.clear();
      try {
        for (const id of await compare(before)) ids.add(id);
        isOverflowed = false;
      } catch (error) {
        for (const id of before) ids.add(id);
        isResyncNeeded = true;
        throw error;
      }
    },
    async taken(write: (batch: readonly string[]) => Promise<void>): Promise<void> {
      const batch = [...ids.values().take(vectorBatchMax)];
      for (const id of batch) ids.delete(id);
      try {
        await write(batch);
      } catch (error) {
        for (const id of batch) ids.add(id);
        throw error;
      }
    },
  };
}

/** Failures of embeddings are logged elsewhere. */
function warn(log: Log, error: unknown): void {
  if (error instanceof EmbeddingsError) return;
  log.warn('Vectors cannot be updated; retrying', {}, { error });
}

async function missing({ items }: VectorWriterDeps, ids: readonly string[]): Promise<string[]> {
  const present = await items(ids);
  return ids.filter((id) => !present.has(id));
}

/** Ids of entries that are missing from the store, differ from it, or should not be stored. */
async function differing(
  { store, digests }: VectorWriterDeps,
  { length, mayRemove }: { length: number | undefined; mayRemove: boolean },
): Promise<string[]> {
  const stored = await store.digests();
  const wanted = await digests();
  const differing = [...wanted].filter(([id, digest]) => !isSame(stored.get(id), digest, length)).map(([id]) => id);
  for (const id of wanted.keys()) stored.delete(id);
  return mayRemove ? [...differing, ...stored.keys()] : differing;
}

/** The stored digest: the item's digest, which identifies text and labels, and the length of the vector. */
function storedDigest(digest: string, length: number): string {
  return `${digest} ${length}`;
}

function isSame(stored: string | undefined, digest: string, length: number | undefined): boolean {
  if (stored === undefined) return false;
  return length === undefined ? stored.startsWith(`${digest} `) : stored === storedDigest(digest, length);
}

/** Writes the current state of the entries. Returns the length of their vectors, if there were any. */
async function write(deps: VectorWriterDeps, ids: readonly string[]): Promise<number | undefined> {
  const present = await deps.items(ids);
  const removed = ids.filter((id) => !present.has(id));
  const items = [...present].map(([id, item]) => ({ id, ...item }));
  if (removed.length > 0) await deps.store.remove(removed);
  if (items.length === 0) return undefined;
  const vectors = await deps.embeddings.embed(
    items.map(({ text }) => text),
    'document',
  );
  const entries: VectorEntry[] = items.flatMap((item, at) => {
    const vector = vectors[at];
    if (vector === undefined) return [];
    return [{ id: item.id, digest: storedDigest(item.digest, vector.length), labels: item.labels, vector }];
  });
  await deps.store.upsert(entries);
  return entries[0]?.vector.length;
}
