/**
 * The outbox of the audit trail: records of committed changes on their way to the journal. A record is stored with its change,
 * appended right after the commit, and deleted in the background. What a crash or a failing journal leaves is appended later,
 * once: the journal is searched for the id of the record first.
 */
import { type BackgroundRetry, createBackgroundRetry } from '../../flow/background-retry.ts';
import type { Journal } from '../../journal/journal.ts';
import { recordLine } from '../../journal/record-line.ts';
import type { Database, Transaction } from '../../stores/database.ts';
import type { OutboxStore, QueuedEntry, StoredEntry } from '../../stores/outbox-store.ts';
import type { Log } from '../../telemetry/log.ts';

/** The outbox. Disposing tries once to append and to delete what is left; the next start does the rest. */
export interface Outbox extends AsyncDisposable {
  /** Stores entries in the transaction of their change. @throws HestiaError STORAGE_FAILED */
  store(tx: Transaction, entries: readonly QueuedEntry[]): Promise<void>;
  /** Appends stored entries after their commit. Never throws: what the journal refuses is tried again with backoff. */
  deliver(entries: readonly QueuedEntry[]): Promise<void>;
  /** Appends the entries that an earlier process left, unless the journal has them. Call it once, before any other method. */
  recover(): Promise<void>;
  /** The number of records that the journal refused and that are tried again. */
  waiting(): number;
}

/** Dependencies of the outbox. */
export interface OutboxDeps {
  journal: Pick<Journal, 'append' | 'size' | 'firstSeq' | 'read'>;
  database: Database;
  outboxStore: OutboxStore;
  /** Called for each record that was appended. */
  onAppended: () => void;
  /** Called with the change of the number of waiting records. */
  onWaiting: (change: number) => void;
  log: Log;
}

/** Records deleted in one transaction. */
const deletedMax = 500;

/** Creates the outbox. */
export function createOutbox(deps: OutboxDeps): Outbox {
  const { journal, outboxStore, onWaiting, log } = deps;
  const waiting = new Map<string, QueuedEntry>();
  const appended = new Set<string>();
  const deletion = createDeletion(deps, appended);
  const append = createAppend(deps, (recordId) => {
    if (waiting.delete(recordId)) onWaiting(-1);
    appended.add(recordId);
    deletion.soon();
  });
  const redelivery = createRedelivery(log, waiting, append);
  const deliver = async (entries: readonly QueuedEntry[]): Promise<void> => {
    const failures = await append(entries);
    if (failures.length === 0) return;
    for (const { entry } of failures) waiting.set(entry.record_id, entry);
    onWaiting(failures.length);
    redelivery.soon();
  };
  return {
    store: async (tx, entries) => {
      const journalSize = journal.size();
      for (const entry of entries) await outboxStore.insert(tx, { entry, journalSize });
    },
    deliver,
    recover: async () => {
      const left = await outboxStore.list();
      if (left.length === 0) return;
      const found = await recordIdsInJournal(journal, left);
      for (const recordId of found) appended.add(recordId);
      const missing = left.map(({ entry }) => entry).filter(({ record_id }) => !found.has(record_id));
      await deliver(missing);
      deletion.soon();
      const fields = { records: left.length, records_appended: missing.length };
      log.info('Records of an earlier process were in the outbox', fields);
    },
    waiting: () => waiting.size,
    async [Symbol.asyncDispose]() {
      await redelivery[Symbol.asyncDispose]();
      await deletion[Symbol.asyncDispose]();
      await append(waiting.values());
      await deleteAppended(deps, appended).catch(() => undefined);
    },
  };
}

/** Appends entries, each at most once at a time. Returns those that the journal refused. */
type Append = (entries: Iterable<QueuedEntry>) => Promise<{ entry: QueuedEntry; error: unknown }[]>;

function createAppend({ journal, onAppended }: OutboxDeps, onEntry: (recordId: string) => void): Append {
  const underWay = new Set<string>();
  const appendEntry = async (entry: QueuedEntry): Promise<void> => {
    const { record_id: recordId } = entry;
    if (underWay.has(recordId)) return;
    underWay.add(recordId);
    try {
      await journal.append((seq) => recordLine(entry, seq));
    } finally {
      underWay.delete(recordId);
    }
    onAppended();
    onEntry(recordId);
  };
  return async (entries) => {
    const failures: { entry: QueuedEntry; error: unknown }[] = [];
    const attempt = (entry: QueuedEntry) =>
      appendEntry(entry).catch((error: unknown) => void failures.push({ entry, error }));
    await Promise.all([...entries].map(attempt));
    return failures;
  };
}

function createRedelivery(log: Log, waiting: ReadonlyMap<string, QueuedEntry>, append: Append): BackgroundRetry {
  return createBackgroundRetry({
    isNeeded: () => waiting.size > 0,
    isReady: () => true,
    step: async () => {
      const [failure] = await append(waiting.values());
      if (failure !== undefined) throw failure.error;
    },
    onFailing: (error) =>
      log.error('Records of changes cannot be appended to the journal', { records: waiting.size }, { error }),
    onRecovered: () => log.info('The records of all changes are in the journal again'),
  });
}

function createDeletion(deps: OutboxDeps, appended: Set<string>): BackgroundRetry {
  return createBackgroundRetry({
    isNeeded: () => appended.size > 0,
    isReady: () => true,
    step: () => deleteAppended(deps, appended),
    onFailing: (error) => deps.log.warn('Appended records cannot be deleted from the outbox', {}, { error }),
    onRecovered: () => undefined,
  });
}

async function deleteAppended({ database, outboxStore }: OutboxDeps, appended: Set<string>): Promise<void> {
  const recordIds = [...appended].slice(0, deletedMax);
  if (recordIds.length === 0) return;
  await database.transaction((tx) => outboxStore.delete(tx, recordIds));
  for (const recordId of recordIds) appended.delete(recordId);
}

const recordIdPattern = /"record_id":"([^"]*)"/;

/** The ids of these entries that the journal has already. Reads it from its size before the first of their commits. */
async function recordIdsInJournal(
  journal: OutboxDeps['journal'],
  left: readonly StoredEntry[],
): Promise<ReadonlySet<string>> {
  const sought = new Set(left.map(({ entry }) => entry.record_id));
  const found = new Set<string>();
  const from = Math.max(Math.min(...left.map(({ journalSize }) => journalSize)) + 1, journal.firstSeq());
  if (from > journal.size()) return found;
  for await (const page of journal.read({ from, to: journal.size() })) {
    for (const { line } of page) {
      const recordId = recordIdPattern.exec(line)?.[1];
      if (recordId !== undefined && sought.has(recordId)) found.add(recordId);
    }
  }
  return found;
}
