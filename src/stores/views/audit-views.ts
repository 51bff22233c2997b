/**
 * The views of the audit trail: queries over the journal's records, in an SQLite file of their own.
 * A worker thread fills the file from the journal. It holds nothing that the journal does not, so it can be deleted at any time.
 */
import type { Journal } from '../../journal/journal.ts';
import type { AuditQuery, AuditRecord } from '../../shapes/audit.ts';
import type { StorageErrorType } from '../../shapes/storage.ts';
import type { ToolOutcome, ToolStatistics } from '../../shapes/tool.ts';
import type { Log } from '../../telemetry/log.ts';

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
   * Statistics of the outcomes that are stored, of one namespace or of all; only of those recorded at or after `since` (Unix
   * milliseconds), if given. Ordered by server id and tool name, at most {@link statisticsToolsMax}.
   */
  statistics(filter: { namespace?: string | undefined; since?: number | undefined }): Promise<ToolStatistics[]>;
  /** The outcome of a call; undefined if its record is not stored. */
  findOutcome(callId: string): Promise<RecordedOutcome | undefined>;
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

/** A tool outcome with the number of its record. `creditedSearchId` is the search that it taught something about. */
export interface RecordedOutcome {
  seq: number;
  outcome: ToolOutcome;
  creditedSearchId?: string;
}

/** A page of {@link AuditViews.outcomesWithSearch}. */
export interface OutcomePage {
  after: number | undefined;
  limit: number;
  newestMax: number;
}

/** Dependencies of {@link createAuditViews}. */
export interface AuditViewsDeps {
  /** The SQLite file. It is created if it is missing, and built anew if it cannot be used. */
  file: string;
  /** The folder of the journal, whose segments the worker thread reads. */
  journalDirectory: string;
  journal: Pick<Journal, 'size' | 'firstSeq' | 'onAppended'>;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Called once for each failure of the file, for the metric. */
  onFailure?: (type: StorageErrorType) => void;
}

/** The longest that a read waits for the views, in milliseconds. */
export const waitMsMax = 5000;

/** The most tools that {@link AuditViews.statistics} returns. */
export const statisticsToolsMax = 10_000;

/** Creates the views and starts the worker thread. Returns at once: reads wait until the thread has caught up. */
export function createAuditViews(_deps: AuditViewsDeps): AuditViews {
  throw new Error('not built yet');
}
