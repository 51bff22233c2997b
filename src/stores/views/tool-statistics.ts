/** Statistics of tools that the projector's thread computes: requests in progress, and parsed rows. */
import { createTimeSlices } from '../../flow/time-slices.ts';
import { serverIdOfSegment } from '../../shapes/audit.ts';
import type { HestiaError } from '../../shapes/error.ts';
import { type ToolStatistics, toolStatisticsSchema } from '../../shapes/tool.ts';
import { jsonColumn } from '../statement.ts';
import type { StatisticsRow } from './statistics-query.ts';

const rowSchema = toolStatisticsSchema
  .omit({ outcomes: true })
  .extend(toolStatisticsSchema.shape.outcomes.shape)
  .extend({ errorTypes: jsonColumn(toolStatisticsSchema.shape.errorTypes) })
  .transform(({ success, error, timeout, abandoned, ...row }) => ({
    ...row,
    serverId: serverIdOfSegment(row.serverId),
    outcomes: { success, error, timeout, abandoned },
  }));

/** Parses rows of the thread without blocking the event loop. @throws ZodError if the file holds something else */
export async function parsedStatistics(rows: readonly StatisticsRow[]): Promise<ToolStatistics[]> {
  const slice = createTimeSlices();
  const parsed: ToolStatistics[] = [];
  for (const row of rows) {
    parsed.push(rowSchema.parse(row));
    await slice();
  }
  return parsed;
}

/** Requests of statistics to the thread. */
export interface StatisticsRequests {
  /** Waits for the rows of a request, which `send` sends under this number. */
  add(send: (id: number) => void): Promise<StatisticsRow[]>;
  /** Receives some rows of a request, and whether they are the last. */
  received(report: { id: number; rows: readonly StatisticsRow[]; isLast: boolean }): void;
  /** Rejects all requests. */
  fail(error: HestiaError): void;
}

/** The most requests in progress. Each occupies the thread. */
const requestsMax = 32;

/** Creates the requests. `refused` creates the error of one that is too many. */
export function createStatisticsRequests(refused: () => HestiaError): StatisticsRequests {
  const requests = new Map<number, { rows: StatisticsRow[]; done: PromiseWithResolvers<StatisticsRow[]> }>();
  let lastId = 0;
  return {
    add: (send) => {
      if (requests.size >= requestsMax) return Promise.reject(refused());
      lastId += 1;
      const done = Promise.withResolvers<StatisticsRow[]>();
      requests.set(lastId, { rows: [], done });
      send(lastId);
      return done.promise;
    },
    received: ({ id, rows, isLast }) => {
      const request = requests.get(id);
      if (request === undefined) return;
      for (const row of rows) request.rows.push(row);
      if (!isLast) return;
      requests.delete(id);
      request.done.resolve(request.rows);
    },
    fail: (error) => {
      for (const { done } of requests.values()) done.reject(error);
      requests.clear();
    },
  };
}
