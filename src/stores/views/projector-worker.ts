/**
 * The worker thread of the projector: it follows the journal and writes the views.
 * A failure ends the thread, which reports it first. The projector starts another one.
 */
import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createSegmentReader, type JournalLine } from '../../journal/segments/segment-reader.ts';
import { storageErrorType } from '../storage-error.ts';
import type { ProjectorReport, ProjectorRequest, ProjectorStart } from './projector-messages.ts';
import { prepareStatistics, type StatisticsFilter, type StatisticsQuery } from './statistics-query.ts';
import { ViewsFileError } from './views-file.ts';
import { isUnusable, openViews } from './views-open.ts';

/** The rows that one transaction deletes, so that the projection goes on between two. */
const pruneSlice = 1000;
/** The rows of statistics in one message, since the event loop reads a message in one piece. */
const statisticsPage = 200;
/** The interval in which the file is compared with its path, in milliseconds. */
const fileCheckIntervalMs = 1000;

const start: ProjectorStart = workerData;
const { file } = start;
const journal = createSegmentReader({ directory: start.journalDirectory });
const statisticsRequests: ({ id: number } & StatisticsFilter)[] = [];
const goal = { size: start.size, pruneBefore: start.firstSeq, mustPrune: true, isStopped: false };
const report = (message: ProjectorReport) => parentPort?.postMessage(message);

parentPort?.on('message', (request: ProjectorRequest) => {
  receive(request);
  wake();
});

let wake: () => void = () => undefined;

function receive(request: ProjectorRequest): void {
  switch (request.kind) {
    case 'appended':
      goal.size = Math.max(goal.size, request.size);
      return;
    case 'prune':
      goal.pruneBefore = Math.max(goal.pruneBefore, request.beforeSeq);
      goal.mustPrune = true;
      return;
    case 'statistics':
      statisticsRequests.push(request);
      return;
    case 'stop':
      goal.isStopped = true;
      return;
    default:
      request satisfies never;
  }
}

/** Answers the requests of statistics that were received so far. */
function answerStatistics(statistics: StatisticsQuery): void {
  for (const { id, ...filter } of statisticsRequests.splice(0)) {
    const rows = statistics(filter);
    do {
      const page = rows.splice(0, statisticsPage);
      report({ kind: 'statistics', id, rows: page, isLast: rows.length === 0 });
    } while (rows.length > 0);
  }
}

async function run(): Promise<void> {
  const { connection, projection, emptied } = await openViews(start, journal);
  const { ino } = statSync(file);
  let checkedAt = performance.now();

  /** A file that was deleted or replaced takes rows that nobody would read after a restart. */
  const checkFile = () => {
    if (performance.now() - checkedAt < fileCheckIntervalMs) return;
    checkedAt = performance.now();
    if (statSync(file, { throwIfNoEntry: false })?.ino !== ino) throw new ViewsFileError(`${file}: was deleted`);
  };
  const write = (page: readonly JournalLine[]) => {
    checkFile();
    const invalid = projection.write(page);
    report({ kind: 'projected', position: projection.position(), invalid });
  };
  const pruneOnce = () => {
    const beforeSeq = goal.pruneBefore;
    const deleted = projection.prune({ beforeSeq, limit: pruneSlice });
    if (deleted > 0) return;
    goal.mustPrune = false;
    report({ kind: 'pruned', beforeSeq });
  };

  const statistics = prepareStatistics(connection);
  report({ kind: 'ready', position: projection.position(), ...(emptied !== undefined && { emptied }) });
  while (!goal.isStopped) {
    const from = Math.max(projection.position() + 1, start.firstSeq);
    if (from <= goal.size) {
      for await (const page of journal.read({ from, to: goal.size })) {
        write(page);
        // Requests are received between two batches.
        await setImmediate();
        answerStatistics(statistics);
        if (goal.isStopped) break;
      }
    } else if (statisticsRequests.length > 0) {
      answerStatistics(statistics);
    } else if (goal.mustPrune) {
      pruneOnce();
      await setImmediate();
    } else {
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      await woken.promise;
    }
  }
  connection.close();
}

run().then(
  () => parentPort?.close(),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    report({ kind: 'failed', type: storageErrorType(error), message, isUnusable: isUnusable(error) });
    parentPort?.close();
  },
);
