/**
 * What was written reaches a vector store behind everybody's back: in batches, again and again until it is there. Reads
 * the present state of an entry when it writes it, so that the last one wins whatever went wrong between.
 */

import { createBackgroundRetry } from '../../flow/background-retry.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Embeddings, EmbeddingsError } from './embeddings.ts';
import { type VectorEntry, type VectorLabels, type VectorStore, vectorBatchMax } from './store.ts';

/** An entry before it has a vector. */
export interface FeedItem {
  text: string;
  digest: string;
  labels: VectorLabels;
}

/** The feed. Dispose it to stop; what still waits is found again when the hub starts. */
export interface VectorFeed extends AsyncDisposable {
  /** Says that an entry was added, changed or removed. Returns at once, and costs next to nothing. */
  changed(id: string): void;
  /** Compares everything with the store, and writes what differs: after a start, and when the store was away. */
  resync(): void;
  /** Entries that wait to be written. */
  backlog(): number;
  /**
   * Says how long the model's vectors are now. Entries of another length are written again: a service may put another
   * model behind the same name.
   */
  sawLength(length: number): void;
  /** Resolves when nothing waits; for tests. */
  settled(): Promise<void>;
}

/** What the feed is made of. */
export interface VectorFeedDeps {
  embeddings: Embeddings;
  store: VectorStore;
  /** The entries of these ids as they should be now; those that should not be there are missing. */
  items: (ids: readonly string[]) => Promise<ReadonlyMap<string, FeedItem>>;
  /** All entries that should be there, id to digest. */
  digests: () => Promise<ReadonlyMap<string, string>>;
  /** Whether it makes sense to try now; where it does not, `resync` says when it does. */
  isReady: () => boolean;
  log: Log;
  /** Given in tests. */
  removalGraceMs?: number;
}

/** Ids that may wait; beyond them all are forgotten for a comparison with the store, which finds them again. */
export const backlogMax = 20_000;

/** After a start, entries are missing until all servers have connected: nothing is removed for want of them meanwhile. */
const removalGraceMs = 60_000;
/** How often the store is compared with what should be there, whether or not it seemed to be away. */
const comparisonIntervalMs = 3_600_000;

/** Makes the feed and lets it run. The first comparison waits for {@link VectorFeed.resync}. */
export function createVectorFeed(deps: VectorFeedDeps): VectorFeed {
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
            // What was removed on purpose, whether or not others may be.
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
    waiting.askResync();
    work.now();
  };
  const comparison = repeatedly(resync, graceMs);
  return {
    changed(id) {
      waiting.add(id);
      work.soon();
    },
    resync,
    backlog: waiting.size,
    sawLength(seen) {
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

/** Runs `work` after a while, and every hour from then on. */
function repeatedly(work: () => void, firstMs: number): Disposable {
  const again = () => {
    work();
    timer = setTimeout(again, comparisonIntervalMs).unref();
  };
  let timer = setTimeout(again, firstMs).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** What waits to be written: ids, or everything that a comparison will find. A failed step leaves it as it was. */
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
    askResync: () => {
      isResyncNeeded = true;
    },
    isResyncNeeded: () => isResyncNeeded,
    size: () => (isOverflowed ? backlogMax : ids.size),
    /** Forgets what waits for what a comparison finds; what changes during it waits besides. */
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

/** Embeddings tell of their own end. */
function warn(log: Log, error: unknown): void {
  if (error instanceof EmbeddingsError) return;
  log.warn('Vectors cannot be brought up to date; it is tried again', {}, { error });
}

async function missing({ items }: VectorFeedDeps, ids: readonly string[]): Promise<string[]> {
  const present = await items(ids);
  return ids.filter((id) => !present.has(id));
}

/** Ids of entries that are missing from the store, differ there, or should not be there. */
async function differing(
  { store, digests }: VectorFeedDeps,
  { length, mayRemove }: { length: number | undefined; mayRemove: boolean },
): Promise<string[]> {
  const there = await store.digests();
  const wanted = await digests();
  const differing = [...wanted].filter(([id, digest]) => !isSame(there.get(id), digest, length)).map(([id]) => id);
  for (const id of wanted.keys()) there.delete(id);
  return mayRemove ? [...differing, ...there.keys()] : differing;
}

/** What is written tells text and labels from others by the item's digest, and the vector by its length. */
function writtenDigest(digest: string, length: number): string {
  return `${digest} ${length}`;
}

function isSame(written: string | undefined, digest: string, length: number | undefined): boolean {
  if (written === undefined) return false;
  return length === undefined ? written.startsWith(`${digest} `) : written === writtenDigest(digest, length);
}

/** Writes the present state of the entries; answers the length of their vectors, if there were any. */
async function write(deps: VectorFeedDeps, ids: readonly string[]): Promise<number | undefined> {
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
    return [{ id: item.id, digest: writtenDigest(item.digest, vector.length), labels: item.labels, vector }];
  });
  await deps.store.upsert(entries);
  return entries[0]?.vector.length;
}
