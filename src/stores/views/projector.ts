/**
 * The projector, which fills the views from the journal in a worker thread.
 * It knows how far the thread is, and what waits for it. It reports appends to the thread in batches, so that they cost the event
 * loop next to nothing.
 */
import type { Journal } from '../../journal/journal.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { StorageErrorType } from '../../shapes/storage.ts';
import type { Log } from '../../telemetry/log.ts';
import { createProjectionLag, type ProjectionLag } from './projection-lag.ts';
import { createProjectionWaits, type ProjectionWaits } from './projection-waits.ts';
import type { ProjectorReport } from './projector-messages.ts';
import {
  type ProjectorFailure,
  type ProjectorThread,
  type StartWorker,
  startProjectorThread,
} from './projector-thread.ts';
import { createRebuildLog, type RebuildLog } from './rebuild-log.ts';
import type { StatisticsFilter, StatisticsRow } from './statistics-query.ts';
import { createStatisticsRequests, type StatisticsRequests } from './tool-statistics.ts';

/** The projector. Disposing it stops the thread and rejects all waits. */
export interface Projector extends AsyncDisposable {
  /** The number of the newest record in the views. */
  position(): number;
  lagSeconds(): number;
  /** Resolves when the views include the record `seq`. @throws HestiaError VIEWS_UNAVAILABLE after `timeoutMs` */
  waitFor(seq: number, timeoutMs: number): Promise<void>;
  /** Deletes rows before `beforeSeq`. @throws HestiaError VIEWS_UNAVAILABLE if the thread stops; the next one goes on */
  prune(beforeSeq: number): Promise<void>;
  /** Computes statistics in the thread. @throws HestiaError VIEWS_UNAVAILABLE if the thread stops, or has too much to do */
  statistics(filter: StatisticsFilter): Promise<StatisticsRow[]>;
  /** Stops the thread because the file cannot be read; the next one builds it anew. */
  fail(failure: ProjectorFailure): void;
}

/** Dependencies of the projector. */
export interface ProjectorDeps {
  file: string;
  journalDirectory: string;
  journal: Pick<Journal, 'size' | 'firstSeq' | 'onAppended'>;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Called when the thread has stopped because the disk fails. */
  onFailure: (type: StorageErrorType) => void;
  /** Called when the file may be read. */
  onReady: () => void;
  /** Called when the thread has stopped; from then on no connection to the file may be open. */
  onDown: () => void;
  startWorker: StartWorker;
}

/**
 * How long appends gather before the thread is notified, in milliseconds, unless a read waits. A batch opens the segment and
 * commits a transaction, which costs as much as tens of rows.
 */
const notifyMs = 1000;
/** Failures that other files of the disk share. A lock, or a file that is not one of views, only delays the views. */
const diskFailures: ReadonlySet<StorageErrorType> = new Set(['full', 'readonly', 'io', 'corrupt']);
/** The numbers of invalid records that one log line names. */
const invalidNamedMax = 10;

/** Creates the projector and starts its thread. */
export function createProjector(deps: ProjectorDeps): Projector {
  const { file, journalDirectory, journal, log } = deps;
  const lag = createProjectionLag(() => performance.now());
  const state: ProjectorState = { position: 0, isReady: false, isDisposed: false };
  const late = (seq: number) => viewsBehind(seq, { position: state.position, size: journal.size() });
  const waits = createProjectionWaits(late);
  const prunings = createProjectionWaits(late);
  const statistics = createStatisticsRequests(viewsUnreadable);
  const stopRequests = () => {
    for (const each of [prunings, statistics]) each.fail(viewsUnreadable());
  };
  const progress = createRebuildLog(log);
  const thread = startProjectorThread({
    start: () => ({ file, journalDirectory, firstSeq: journal.firstSeq(), size: journal.size() }),
    onReport: (report) => {
      if (report.kind === 'projected') thread.progressed();
      receive(report, deps, { state, lag, waits, prunings, statistics, progress });
    },
    onFailure: (failure, retryMs) => {
      state.isReady = false;
      deps.onDown();
      if (diskFailures.has(failure.type)) deps.onFailure(failure.type);
      const fields = { error_type: failure.type, reason: failure.message, retry_ms: retryMs };
      log.error('The projector of the audit trail has stopped and is restarted', fields);
      stopRequests();
    },
    startWorker: deps.startWorker,
  });
  const notices = createNotices(thread, { journal, lag });
  return {
    position: () => state.position,
    lagSeconds: lag.seconds,
    waitFor: (seq, timeoutMs) => {
      if (state.isDisposed) return Promise.reject(viewsUnreadable());
      if (state.isReady && seq <= state.position) return Promise.resolve();
      notices.now();
      return waits.add(seq, timeoutMs);
    },
    ...createRequests(thread, { state, prunings, statistics }),
    fail: thread.fail,
    [Symbol.asyncDispose]: async () => {
      state.isDisposed = true;
      notices[Symbol.dispose]();
      waits.fail(viewsUnreadable());
      stopRequests();
      await thread[Symbol.asyncDispose]();
    },
  };
}

/** Requests to the thread. All are refused where it cannot take them. */
function createRequests(
  thread: ProjectorThread,
  { state, prunings, statistics }: Pick<ProjectorParts, 'state' | 'prunings' | 'statistics'>,
): Pick<Projector, 'prune' | 'statistics'> {
  return {
    prune: (beforeSeq) => {
      if (state.isDisposed) return Promise.reject(viewsUnreadable());
      // A thread that is starting receives it, too. One that starts later begins with the oldest record of the journal.
      thread.send({ kind: 'prune', beforeSeq });
      return prunings.add(beforeSeq, Number.POSITIVE_INFINITY);
    },
    statistics: (filter) => {
      if (state.isDisposed || !state.isReady) return Promise.reject(viewsUnreadable());
      return statistics.add((id) => thread.send({ kind: 'statistics', id, ...filter }));
    },
  };
}

interface ProjectorState {
  position: number;
  /** Whether the file may be read. */
  isReady: boolean;
  isDisposed: boolean;
}

interface ProjectorParts {
  state: ProjectorState;
  lag: ProjectionLag;
  waits: ProjectionWaits;
  prunings: ProjectionWaits;
  statistics: StatisticsRequests;
  progress: RebuildLog;
}

function receive(
  report: Exclude<ProjectorReport, { kind: 'failed' }>,
  { journal, log, onReady }: ProjectorDeps,
  { state, lag, waits, prunings, statistics, progress }: ProjectorParts,
): void {
  switch (report.kind) {
    case 'ready': {
      state.position = report.position;
      state.isReady = true;
      const ends = { position: report.position, size: journal.size() };
      lag.restarted(ends);
      progress.began({ ...ends, emptied: report.emptied });
      onReady();
      break;
    }
    case 'projected':
      state.position = report.position;
      lag.projected(report.position);
      progress.projected(report.position);
      reportInvalid(log, report.invalid);
      break;
    case 'pruned':
      prunings.projected(report.beforeSeq);
      return;
    case 'statistics':
      statistics.received(report);
      return;
    default:
      report satisfies never;
  }
  waits.projected(state.position);
}

/** Notifies the thread of appends: after a delay in which more gather, or at once. */
function createNotices(
  thread: ProjectorThread,
  { journal, lag }: { journal: ProjectorDeps['journal']; lag: { appended(size: number): void } },
): Disposable & { now(): void } {
  let timer: NodeJS.Timeout | undefined;
  const notify = () => {
    clearTimeout(timer);
    timer = undefined;
    const size = journal.size();
    lag.appended(size);
    thread.send({ kind: 'appended', size });
  };
  let isDisposed = false;
  journal.onAppended(() => {
    if (!isDisposed) timer ??= setTimeout(notify, notifyMs).unref();
  });
  return {
    now: notify,
    [Symbol.dispose]: () => {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

function viewsBehind(seq: number, { position, size }: { position: number; size: number }): HestiaError {
  return new HestiaError(
    'VIEWS_UNAVAILABLE',
    `the views of the audit trail do not include record ${seq} yet: they are at record ${position} of ${size}; the records themselves are stored`,
    { retryAfterSeconds: 5 },
  );
}

/** The error of a read while the file is closed or fails. */
export function viewsUnreadable(cause?: unknown): HestiaError {
  const message = 'the views of the audit trail cannot be read now; the records themselves are stored';
  return new HestiaError('VIEWS_UNAVAILABLE', message, { cause, retryAfterSeconds: 5 });
}

function reportInvalid(log: ProjectorDeps['log'], invalid: readonly number[]): void {
  if (invalid.length === 0) return;
  const named = invalid.slice(0, invalidNamedMax).join(', ');
  log.error('Records of the audit trail are not valid and are left out of its views', {
    records: invalid.length,
    record_numbers: named,
  });
}
