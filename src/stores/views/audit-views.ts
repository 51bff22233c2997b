/**
 * The views of the audit trail: queries over the journal's records, in an SQLite file of their own.
 * A worker thread fills the file from the journal. It holds nothing that the journal does not, so it can be deleted at any time.
 */
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Journal } from '../../journal/journal.ts';
import type { AuditQuery, AuditRecord } from '../../shapes/audit.ts';
import type { SearchUse } from '../../shapes/search.ts';
import type { StorageErrorType } from '../../shapes/storage.ts';
import type { ToolStatistics } from '../../shapes/tool.ts';
import type { Log } from '../../telemetry/log.ts';
import { type StorageFailure, storageErrorType } from '../storage-error.ts';
import type { CallSummary } from './call-queries.ts';
import { createProjector, type Projector, viewsUnreadable } from './projector.ts';
import type { StartWorker } from './projector-thread.ts';
import type { RecordedOutcome } from './recorded-outcome.ts';
import { parsedStatistics } from './tool-statistics.ts';
import { type CallMinute, type OutcomePage, prepareViewQueries, type ViewQueries } from './view-queries.ts';
import { openViewsReader } from './views-file.ts';

/**
 * The views. Each read waits until the views include all records that were appended before it, so that it sees what was just
 * answered. All reads throw HestiaError VIEWS_UNAVAILABLE where that takes longer than {@link waitMsMax}, or where the
 * file fails.
 */
export interface AuditViews extends AsyncDisposable {
  /** The newest `seq` that the views include; 0 if none. */
  position(): number;
  /**
   * Resolves when the views include the record `seq`, at the latest after `timeoutMs`, which may be Infinity.
   * @throws HestiaError VIEWS_UNAVAILABLE if they do not by then, or once the views are disposed
   */
  waitFor(seq: number, options?: { timeoutMs?: number }): Promise<void>;
  /** Records after `query.after` that match all given filters, ascending by seq, at most `query.limit`. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /**
   * Statistics of the outcomes that are stored, of one namespace or of all; only of those recorded at or after `since` and before
   * `until` (Unix milliseconds), if given. Ordered by server id and tool name, at most `statisticsToolsMax`. Computed in the worker thread.
   */
  statistics(filter: {
    namespace?: string | undefined;
    since?: number | undefined;
    until?: number | undefined;
  }): Promise<ToolStatistics[]>;
  /** The calls of each minute since a time, of one namespace or of all, at most two days back. */
  callMinutes(filter: { sinceMinute: number; namespace?: string | undefined }): Promise<CallMinute[]>;
  /** How many records of each event but tool calls there are since a time (Unix milliseconds), by the event's name. */
  eventCounts(filter: { since: number; namespace?: string | undefined }): Promise<{ event: string; count: number }[]>;
  /** Whether a tool call is among the newest 10,000 records. */
  hasCalls(): Promise<boolean>;
  /** The newest calls of a tool that were made at or after `since` (Unix milliseconds); undefined if there are none. */
  callsOf(tool: { target: string; since: number; namespace?: string | undefined }): Promise<CallSummary | undefined>;
  /** The newest failed calls of a tool among its newest 10,000, the newest first, at most `limit`. */
  failuresOf(tool: { target: string; limit: number }): Promise<AuditRecord[]>;
  /** The calls that were credited to these searches. */
  usesOf(searchIds: readonly string[]): Promise<SearchUse[]>;
  /** The outcome of a call, if it was credited to a search and its record is stored. */
  findOutcomeWithSearch(callId: string): Promise<RecordedOutcome | undefined>;
  /**
   * Outcomes that were credited to a search, ascending by seq, after the record `after`. Without `after`, the page starts with the
   * oldest of the newest `newestMax`.
   */
  outcomesWithSearch(page: OutcomePage): Promise<RecordedOutcome[]>;
  /** How long the oldest record that the views do not include yet has been waiting, in seconds; 0 if they include all. */
  lagSeconds(): number;
  /**
   * Deletes the rows of records before `beforeSeq`, in slices, in the worker thread. May be repeated.
   * @throws HestiaError VIEWS_UNAVAILABLE if the worker stops meanwhile; it finishes the work when it runs again
   */
  prune(beforeSeq: number): Promise<void>;
}

/** Dependencies of {@link createAuditViews}. */
export interface AuditViewsDeps {
  /** The SQLite file. It is created if it is missing, and built anew if it cannot be used. */
  file: string;
  /** The folder of the journal, whose segments the worker thread reads. */
  journalDirectory: string;
  journal: Pick<Journal, 'size' | 'firstSeq' | 'onAppended'>;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Called once for each time that the disk of the file fails, for the metric. A lock of another process is not one. */
  onFailure?: (type: StorageErrorType) => void;
  /** Starts the worker thread; by default the constructor of `Worker`. */
  startWorker?: StartWorker;
}

/** The longest that a read waits for the views, in milliseconds. */
export const waitMsMax = 5000;

/** Creates the views and starts the worker thread. Returns at once: reads wait until the thread has caught up. */
export function createAuditViews(deps: AuditViewsDeps): AuditViews {
  const { startWorker = (script, options) => new Worker(script, options), onFailure = () => undefined } = deps;
  const fail = (cause: unknown) => {
    const { message } = cause instanceof Error ? cause : { message: String(cause) };
    const type = storageErrorType(cause);
    deps.log.error('The views of the audit trail cannot be read', { error_type: type, reason: message });
    // A row that does not parse is of type `other`, too. Locks and the disk do not get better by building the file anew.
    if (type === 'corrupt' || type === 'other') projector.fail({ type, message, isUnusable: true });
    return viewsUnreadable(cause);
  };
  const reader = createReader(deps.file, fail);
  const projector: Projector = createProjector({
    ...deps,
    startWorker,
    onFailure,
    onReady: reader.open,
    onDown: reader.close,
  });

  /** Reads once the views include all records that are stored now. */
  const read = async <T>(work: (queries: ViewQueries) => T): Promise<T> => {
    await projector.waitFor(deps.journal.size(), waitMsMax);
    return work(reader.queries());
  };
  return {
    position: projector.position,
    waitFor: (seq, { timeoutMs = waitMsMax } = {}) => projector.waitFor(seq, timeoutMs),
    list: (query) => read(({ list }) => list(query)),
    statistics: async ({ namespace, since, until }) => {
      const range = await read(({ firstSince }) => ({
        fromSeq: since === undefined ? 0 : firstSince(since),
        toSeq: until === undefined ? Number.MAX_SAFE_INTEGER : firstSince(until) - 1,
      }));
      return parsedStatistics(await projector.statistics({ namespace, ...range })).catch((cause: unknown) => {
        throw fail(cause);
      });
    },
    callMinutes: (filter) => read(({ callMinutes }) => callMinutes(filter)),
    eventCounts: (filter) => read(({ eventCounts }) => eventCounts(filter)),
    ...callReads(read),
    findOutcomeWithSearch: (callId) => read(({ findOutcomeWithSearch }) => findOutcomeWithSearch(callId)),
    outcomesWithSearch: (page) => read(({ outcomesWithSearch }) => outcomesWithSearch(page)),
    lagSeconds: projector.lagSeconds,
    prune: projector.prune,
    [Symbol.asyncDispose]: async () => {
      reader.close();
      await projector[Symbol.asyncDispose]();
    },
  };
}

/** The reads of calls for pages. */
function callReads(
  read: <T>(work: (queries: ViewQueries) => T) => Promise<T>,
): Pick<AuditViews, 'hasCalls' | 'callsOf' | 'failuresOf' | 'usesOf'> {
  return {
    hasCalls: () => read(({ hasCalls }) => hasCalls()),
    callsOf: ({ target, since, namespace }) =>
      read(({ callsOf, firstSince }) => callsOf({ target, namespace, fromSeq: firstSince(since) })),
    failuresOf: (tool) => read(({ failuresOf }) => failuresOf(tool)),
    usesOf: (searchIds) => read(({ usesOf }) => usesOf(searchIds)),
  };
}

/** The connection that reads. It is open only while the worker thread runs, so that the thread can replace the file. */
interface Reader {
  open(): void;
  close(): void;
  /** @throws HestiaError VIEWS_UNAVAILABLE if the file is not open */
  queries(): ViewQueries;
}

/** Creates the reader of a file. `failure` is called for each failed read, with its cause. */
function createReader(file: string, failure: StorageFailure): Reader {
  let open: { connection: DatabaseSync; queries: ViewQueries } | undefined;
  return {
    open: () => {
      try {
        const connection = openViewsReader(file);
        open = { connection, queries: prepareViewQueries(connection, failure) };
      } catch (cause) {
        failure(cause);
      }
    },
    close: () => {
      open?.connection.close();
      open = undefined;
    },
    queries: () => {
      if (open === undefined) throw viewsUnreadable();
      return open.queries;
    },
  };
}
