/** The messages between the projector and its worker thread. Both are code of this hub, so the messages are not parsed. */
import type { StorageErrorType } from '../../shapes/storage.ts';
import type { StatisticsFilter, StatisticsRow } from './statistics-query.ts';

/** What the thread is started with. Records from `firstSeq` to `size` are in the journal at the start. */
export interface ProjectorStart {
  file: string;
  journalDirectory: string;
  firstSeq: number;
  size: number;
  /** Deletes the file first, since it was found to be unusable. */
  isRebuild: boolean;
}

/** What the thread receives: the size of the journal after an append, records to delete, statistics to compute, and the request to stop. */
export type ProjectorRequest =
  | { kind: 'appended'; size: number }
  | { kind: 'prune'; beforeSeq: number }
  | ({ kind: 'statistics'; id: number } & StatisticsFilter)
  | { kind: 'stop' };

/**
 * What the thread reports. `ready`: the file may be read; `emptied` is the reason for which its rows were deleted, if they
 * were. `statistics`: some rows of a request. `failed` is the last report of a thread.
 */
export type ProjectorReport =
  | { kind: 'ready'; position: number; emptied?: string }
  | { kind: 'projected'; position: number; invalid: number[] }
  | { kind: 'pruned'; beforeSeq: number }
  | { kind: 'statistics'; id: number; rows: StatisticsRow[]; isLast: boolean }
  | {
      kind: 'failed';
      type: StorageErrorType;
      message: string;
      /** Whether the file must be built anew. */
      isUnusable: boolean;
    };
