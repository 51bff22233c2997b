/**
 * The worker thread that checkpoints SQLite's write-ahead log.
 * It copies the log's pages to the database file while others write (PASSIVE), restarts the log when it has grown too long
 * (RESTART), and truncates it when nobody writes (TRUNCATE).
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { integerIn } from './row-value.ts';

/** The interval of checkpoints, in milliseconds. */
const checkpointIntervalMs = 25;
/**
 * The length at which the log is restarted, in pages of 4,096 bytes: 8 MiB. SQLite does not restart it by itself while writers
 * never pause. A writer waits until the pages written since the last checkpoint are copied. The log file keeps its length,
 * since growing it again would delay commits most.
 */
const logPagesMax = 2048;
/** Checkpoints in a row without a write after which the log is truncated. */
const idleCheckpoints = 40;
/** How long a checkpoint waits for a writer, in milliseconds. */
const busyTimeoutMs = 20;

const { file }: { file: string } = workerData;
const connection = new DatabaseSync(file, { timeout: busyTimeoutMs });
const passive = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)');
const restart = connection.prepare('PRAGMA wal_checkpoint(RESTART)');
const truncate = connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)');

let logPagesBefore = 0;
let idle = 0;
const timer = setInterval(() => {
  const row = passive.get();
  const log = integerIn(row, 'log');
  // While a reader uses an older state, the log cannot be restarted, and trying would only delay the writers.
  const isDone = log === integerIn(row, 'checkpointed');
  idle = isDone && log === logPagesBefore ? idle + 1 : 0;
  if (isDone && log > logPagesMax) restart.get();
  else if (log > 0 && idle === idleCheckpoints) truncate.get();
  logPagesBefore = log;
}, checkpointIntervalMs);

parentPort?.once('message', () => {
  clearInterval(timer);
  connection.close();
});
parentPort?.postMessage('running');
