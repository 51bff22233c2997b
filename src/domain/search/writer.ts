/** Writes searches in the background, in groups, so that a search does not wait for a commit. Those that wait can be found. */
import { createBackgroundRetry } from '../../flow/background-retry.ts';
import type { SearchRecord } from '../../shapes/search.ts';
import type { Database } from '../../stores/database.ts';
import type { SearchStore } from '../../stores/search-store.ts';
import type { Log } from '../../telemetry/log.ts';

/** The writer. Disposing writes what waits. A crash loses the searches of the last moment. */
export interface SearchWriter extends AsyncDisposable {
  /** Enqueues a search. Returns at once. Beyond {@link searchesWaitingMax} the oldest is dropped and logged. */
  add(record: SearchRecord): void;
  /** A search that is not stored yet. */
  find(searchId: string): SearchRecord | undefined;
}

/** Dependencies of the writer. */
export interface SearchWriterDeps {
  database: Database;
  searchStore: Pick<SearchStore, 'insert' | 'pruneBeyond'>;
  /** The most searches that are stored. */
  searchesMax: number;
  log: Log;
}

/** The most searches that wait, while the database cannot be written. */
export const searchesWaitingMax = 10_000;
/** Searches written in one transaction. */
const groupMax = 200;

/** Creates the writer. */
export function createSearchWriter({ database, searchStore, searchesMax, log }: SearchWriterDeps): SearchWriter {
  const waiting = new Map<string, SearchRecord>();
  let dropped = 0;
  const writeGroup = async (): Promise<void> => {
    const group = [...waiting.values()].slice(0, groupMax);
    await database.transaction(async (tx) => {
      for (const record of group) await searchStore.insert(tx, record);
      // More than are added, so that a lower limit in the configuration is reached as well.
      await searchStore.pruneBeyond(tx, { searchesMax, limit: 2 * groupMax });
    });
    for (const { searchId } of group) waiting.delete(searchId);
  };
  const work = createBackgroundRetry({
    isNeeded: () => waiting.size > 0,
    isReady: () => true,
    step: writeGroup,
    onFailing: (error) => log.error('Searches cannot be recorded', { searches: waiting.size }, { error }),
    onRecovered: () => {
      log.info('Searches are recorded again', { searches_dropped: dropped });
      dropped = 0;
    },
  });
  return {
    add: (record) => {
      const [oldest] = waiting.size < searchesWaitingMax ? [] : waiting.keys();
      if (oldest !== undefined && waiting.delete(oldest)) dropped += 1;
      waiting.set(record.searchId, record);
      work.soon();
    },
    find: (searchId) => waiting.get(searchId),
    async [Symbol.asyncDispose]() {
      await work[Symbol.asyncDispose]();
      try {
        while (waiting.size > 0) await writeGroup();
      } catch (error) {
        log.error('Searches could not be recorded', { searches: waiting.size }, { error });
      }
    },
  };
}
