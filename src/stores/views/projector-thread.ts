/** Keeps the projector's worker thread running: starts it, and restarts it with backoff when it stops. */
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { exponentialBackoff } from '../../flow/backoff.ts';
import { settledWithin } from '../../flow/time-limit.ts';
import type { StorageErrorType } from '../../shapes/storage.ts';
import type { ProjectorReport, ProjectorRequest, ProjectorStart } from './projector-messages.ts';

/** Why a thread stopped. `isUnusable`: the file must be built anew. */
export interface ProjectorFailure {
  type: StorageErrorType;
  message: string;
  isUnusable: boolean;
}

/** The running thread. Disposing stops it and starts no other. */
export interface ProjectorThread extends AsyncDisposable {
  /** Sends a request. It is lost if the thread stops before it is done; the next one starts with the state of the journal. */
  send(request: ProjectorRequest): void;
  /** Ends the thread because of a failure that was found outside of it. */
  fail(failure: ProjectorFailure): void;
  /** The thread has done some of its work, so that its next failure is the first in a row. */
  progressed(): void;
}

/** Starts a thread, as the constructor of `Worker` does. */
export type StartWorker = (script: URL, options: WorkerOptions) => Worker;

/** Dependencies of the thread. */
export interface ProjectorThreadDeps {
  /** The state that a thread starts with. */
  start: () => Omit<ProjectorStart, 'isRebuild'>;
  onReport: (report: Exclude<ProjectorReport, { kind: 'failed' }>) => void;
  /** Called when a thread has stopped, before the next one starts in `retryMs` milliseconds. */
  onFailure: (failure: ProjectorFailure, retryMs: number) => void;
  startWorker: StartWorker;
}

const script = new URL('./projector-worker.ts', import.meta.url);
const restartBounds = { delayMs: 250, delayMsMax: 30_000 };
/** How long the thread may take to stop, in milliseconds. A batch in progress is rolled back by the file's next opening. */
const stopTimeoutMs = 2000;

/** Starts the thread. */
export function startProjectorThread(deps: ProjectorThreadDeps): ProjectorThread {
  let worker: Worker | undefined;
  let failure: ProjectorFailure | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  function start(isRebuild: boolean): void {
    worker = deps.startWorker(script, { workerData: { ...deps.start(), isRebuild } });
    worker.unref();
    worker.on('message', (report: ProjectorReport) => {
      if (report.kind === 'failed') failure ??= report;
      else if (failure === undefined && !isDisposed) deps.onReport(report);
    });
    worker.once('error', (error) => {
      failure ??= unexplained(String(error));
    });
    // Not before the thread has exited: until then its connection is open.
    worker.once('exit', restart);
  }

  function restart(): void {
    worker = undefined;
    if (isDisposed) return;
    const reason = failure ?? unexplained('the thread has stopped');
    failure = undefined;
    failures += 1;
    const retryMs = exponentialBackoff(restartBounds, failures);
    timer = setTimeout(start, retryMs, reason.isUnusable).unref();
    deps.onFailure(reason, retryMs);
  }

  start(false);
  return {
    send: (request) => worker?.postMessage(request),
    fail: (found) => {
      if (worker !== undefined) failure ??= found;
      void worker?.terminate();
    },
    progressed: () => {
      failures = 0;
    },
    [Symbol.asyncDispose]: () => {
      isDisposed = true;
      clearTimeout(timer);
      return stop(worker);
    },
  };
}

function unexplained(message: string): ProjectorFailure {
  return { type: 'other', message, isUnusable: false };
}

async function stop(worker: Worker | undefined): Promise<void> {
  if (worker === undefined) return;
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const request: ProjectorRequest = { kind: 'stop' };
  worker.postMessage(request);
  if (!(await settledWithin(stopTimeoutMs, exited))) await worker.terminate();
}
