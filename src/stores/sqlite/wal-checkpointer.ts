/**
 * The checkpointer of SQLite's write-ahead log, in a worker thread.
 * It keeps the copying of pages to the database file off the event loop. While the thread is not running, SQLite checkpoints
 * automatically at commits.
 */
import { Worker } from 'node:worker_threads';
import { settledWithin } from '../../flow/time-limit.ts';
import type { Database } from '../database.ts';

/** The checkpointer. Disposing it stops the thread and turns automatic checkpoints on again. */
export interface WalCheckpointer extends AsyncDisposable {
  /** Starts the thread. Does nothing if it is running. */
  start(): void;
}

/** Dependencies of the checkpointer. */
export interface WalCheckpointerDeps {
  database: Pick<Database, 'setAutoCheckpoint'>;
  file: string;
  /** Called once if the thread stops unexpectedly. */
  onFailure: (error: unknown) => void;
}

/** How long the thread may take to stop, in milliseconds. */
const stopTimeoutMs = 500;

/** Creates the checkpointer of the database in `file`; {@link WalCheckpointer.start} starts it. */
export function createWalCheckpointer({ database, file, onFailure }: WalCheckpointerDeps): WalCheckpointer {
  let worker: Worker | undefined;
  const handleFailure = (failed: Worker, error: unknown) => {
    if (worker !== failed) return;
    worker = undefined;
    database.setAutoCheckpoint(true);
    onFailure(error);
  };
  return {
    start: () => {
      if (worker !== undefined) return;
      const started = new Worker(new URL('./wal-checkpoint-worker.ts', import.meta.url), { workerData: { file } });
      worker = started;
      started.unref();
      // Not before the thread runs: until then nothing else keeps the log from growing.
      started.once('message', () => {
        if (worker === started) database.setAutoCheckpoint(false);
      });
      started.once('error', (error) => handleFailure(started, error));
      started.once('exit', () => handleFailure(started, new Error('the thread has stopped')));
    },
    [Symbol.asyncDispose]: async () => {
      const stopping = worker;
      worker = undefined;
      if (stopping === undefined) return;
      database.setAutoCheckpoint(true);
      const exited = new Promise((resolve) => stopping.once('exit', resolve));
      stopping.postMessage('stop');
      if (await settledWithin(stopTimeoutMs, exited)) return;
      await stopping.terminate();
    },
  };
}
