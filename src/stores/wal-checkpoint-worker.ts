/**
 * The thread of the checkpoints: brings the pages of the write-ahead log back to the file while others write (PASSIVE), and
 * cuts the log off when nobody writes or when it has grown too long (TRUNCATE). Knows no table.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

/** How often it looks, in milliseconds. */
const lookMs = 100;
/**
 * The log is cut off at this length, in pages of 4,096 bytes: 64 MiB. Writers that never pause keep a log from being begun anew,
 * so one of them waits once in a while, for the pages written since the checkpoint just before: about a millisecond.
 */
const logPagesMax = 16_384;

const { file } = z.object({ file: z.string() }).parse(workerData);
// A lock that is held is waited for at the next look.
const connection = new DatabaseSync(file, { timeout: 0 });
const passive = connection.prepare('PRAGMA wal_checkpoint(PASSIVE)');
const truncate = connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
const resultSchema = z.object({ busy: z.int(), log: z.int(), checkpointed: z.int() });

let logPagesBefore = 0;
const timer = setInterval(() => {
  const { log, checkpointed } = resultSchema.parse(passive.get());
  const isQuiet = log === checkpointed && log === logPagesBefore;
  if (log > 0 && (isQuiet || log > logPagesMax)) truncate.get();
  logPagesBefore = log;
}, lookMs);

parentPort?.once('message', () => {
  clearInterval(timer);
  connection.close();
});
parentPort?.postMessage('running');
