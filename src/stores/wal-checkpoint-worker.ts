/**
 * The thread of the checkpoints: brings the pages of the write-ahead log back to the file while others write (PASSIVE), and
 * has it begun anew when it has grown too long (RESTART) and cut off when nobody writes (TRUNCATE). Knows no table.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

/** How often it looks, in milliseconds. */
const lookMs = 25;
/**
 * The log is begun anew at this length, in pages of 4,096 bytes: 8 MiB. Writers that never pause keep that from happening by
 * itself. A writer waits meanwhile for the pages written since the checkpoint just before; the file keeps its length, since
 * growing again is what makes commits wait long.
 */
const logPagesMax = 2048;
/** Looks without a write after which the log is cut off. */
const quietLooks = 40;
/** How long it waits for a writer to end, in milliseconds. */
const busyTimeoutMs = 20;

const { file } = z.object({ file: z.string() }).parse(workerData);
const connection = new DatabaseSync(file, { timeout: busyTimeoutMs });
const passive = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)');
const restart = connection.prepare('PRAGMA wal_checkpoint(RESTART)');
const truncate = connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
const resultSchema = z.object({ busy: z.int(), log: z.int(), checkpointed: z.int() });

let logPagesBefore = 0;
let quiet = 0;
const timer = setInterval(() => {
  const { log, checkpointed } = resultSchema.parse(passive.get());
  // Where somebody reads an older state, the log cannot be begun anew, and trying would only hold up the writers.
  const isDone = log === checkpointed;
  quiet = isDone && log === logPagesBefore ? quiet + 1 : 0;
  if (isDone && log > logPagesMax) restart.get();
  else if (log > 0 && quiet === quietLooks) truncate.get();
  logPagesBefore = log;
}, lookMs);

parentPort?.once('message', () => {
  clearInterval(timer);
  connection.close();
});
parentPort?.postMessage('running');
