/** The messages between the projector and its worker thread. */
import { z } from 'zod';
import { storageErrorTypeSchema } from '../../shapes/storage.ts';

/** What the thread is started with. Records from `firstSeq` to `size` are in the journal at the start. */
export const projectorStartSchema = z.object({
  file: z.string(),
  journalDirectory: z.string(),
  firstSeq: z.int(),
  size: z.int(),
  /** Deletes the file first, since it was found to be unusable. */
  isRebuild: z.boolean(),
});
export type ProjectorStart = z.infer<typeof projectorStartSchema>;

/** What the thread receives: the size of the journal after an append, records to delete, and the request to stop. */
export const projectorRequestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('appended'), size: z.int() }),
  z.object({ kind: z.literal('prune'), beforeSeq: z.int() }),
  z.object({ kind: z.literal('stop') }),
]);
export type ProjectorRequest = z.infer<typeof projectorRequestSchema>;

/**
 * What the thread reports. `ready`: the file may be read; `emptied` is the reason for which its rows were deleted, if they
 * were. `failed` is the last report of a thread.
 */
export const projectorReportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), position: z.int(), emptied: z.string().optional() }),
  z.object({ kind: z.literal('projected'), position: z.int(), invalid: z.array(z.int()) }),
  z.object({ kind: z.literal('pruned'), beforeSeq: z.int() }),
  z.object({
    kind: z.literal('failed'),
    type: storageErrorTypeSchema,
    message: z.string(),
    /** Whether the file must be built anew. */
    isUnusable: z.boolean(),
  }),
]);
export type ProjectorReport = z.infer<typeof projectorReportSchema>;
