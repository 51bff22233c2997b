/**
 * Checkpoints of SQLite's write-ahead log in a thread of their own, so that the event loop does not carry the pages back to
 * the file. Where the thread is not there, the connection checkpoints by itself, as SQLite does.
 */
import { Worker } from 'node:worker_threads';
import type { Database } from './database.ts';

/** The checkpoints. Disposing it ends the thread; the log is left to the connection. */
export interface WalCheckpointer extends AsyncDisposable {
  /** Starts the thread; repeated, it does nothing. */
  start(): void;
}

/** What the checkpoints are made of. */
export interface WalCheckpointerDeps {
  database: Pick<Database, 'checkpointItself'>;
  file: string;
  /** Hears once that the thread has ended before it should. */
  onFailure: (error: unknown) => void;
}

/** How long the thread may take to end, in milliseconds. */
const endMsMax = 500;

/** Prepares the checkpoints of the database in `file`. */
export function createWalCheckpointer({ database, file, onFailure }: WalCheckpointerDeps): WalCheckpointer {
  let worker: Worker | undefined;
  const lose = (lost: Worker, error: unknown) => {
    if (worker !== lost) return;
    worker = undefined;
    database.checkpointItself(true);
    onFailure(error);
  };
  return {
    start: () => {
      if (worker !== undefined) return;
      const started = new Worker(new URL('./wal-checkpoint-worker.ts', import.meta.url), { workerData: { file } });
      worker = started;
      started.unref();
      // Not before it runs: until then the log must not grow.
      started.once('message', () => {
        if (worker === started) database.checkpointItself(false);
      });
      started.once('error', (error) => lose(started, error));
      started.once('exit', () => lose(started, new Error('the thread has ended')));
    },
    [Symbol.asyncDispose]: async () => {
      const ended = worker;
      worker = undefined;
      if (ended === undefined) return;
      database.checkpointItself(true);
      const timer = setTimeout(() => void ended.terminate(), endMsMax);
      const exited = new Promise((resolve) => ended.once('exit', resolve));
      ended.postMessage('end');
      await exited;
      clearTimeout(timer);
    },
  };
}
