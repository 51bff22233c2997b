/**
 * Deletes whole segments whose records are past their retention, oldest first.
 * The open segment and what no checkpoint covers stay. The hash tiles stay too, so that every proof about the rest can still be
 * given.
 */
import { unlink } from 'node:fs/promises';
import limitConcurrency from 'p-limit';
import { journalFailure } from '../journal-error.ts';
import type { LogTree } from '../tree.ts';
import type { Segment } from './segment.ts';
import { newestTimeMs } from './segment-scan.ts';
import type { SegmentWriter } from './segment-writer.ts';

/** What may be deleted. */
export interface RetirementRange {
  /** Only segments whose first and last record are older than this, in Unix milliseconds. */
  before: number;
  /** Only segments within the first `coveredSize` records, which a signed checkpoint covers. */
  coveredSize: number;
  /**
   * Called before anything is deleted, so that the caller records it: the number of the oldest record that stays, and how
   * many records go. Nothing is deleted if it throws.
   */
  announce?: (plan: { firstSeq: number; records: number }) => Promise<void>;
}

/** Deletes segments of one journal. Runs are queued. @throws JournalError; what `announce` throws */
export type Retirement = (range: RetirementRange) => Promise<{ records: number }>;

/** Creates the retirement over the writer that knows the segments. `size` is the number of records in the journal. */
export function createRetirement(deps: { writer: SegmentWriter; tree: LogTree; size: () => number }): Retirement {
  const { writer, tree, size } = deps;
  const enqueue = limitConcurrency(1);
  const retire: Retirement = async ({ before, coveredSize, announce }) => {
    // Otherwise the last segment of a journal without traffic would never be closed, and stay.
    writer.rollIfDue(size());
    const gone = await retirable(writer.segments(), { before, coveredSize });
    const firstBefore = writer.segments()[0]?.first ?? 0;
    const firstAfter = writer.segments()[gone.length]?.first ?? firstBefore;
    const records = firstAfter - firstBefore;
    if (records === 0) return { records };
    await announce?.({ firstSeq: firstAfter + 1, records });
    await deleteSegments(gone, { writer, tree });
    return { records };
  };
  return (range) => enqueue(() => retire(range));
}

/** The oldest closed segments that lie within the range. */
async function retirable(
  segments: readonly Segment[],
  { before, coveredSize }: RetirementRange,
): Promise<readonly Segment[]> {
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1];
    const timeMs = next === undefined || next.first > coveredSize ? undefined : await newestTimeMs(segment);
    if (timeMs === undefined || timeMs >= before) return segments.slice(0, at);
  }
  return [];
}

async function deleteSegments(
  gone: readonly Segment[],
  { writer, tree }: { writer: SegmentWriter; tree: LogTree },
): Promise<void> {
  try {
    // The leaf hashes of an incomplete tile are otherwise known from the records only.
    await tree.flush();
    for (const segment of gone) {
      await unlink(segment.file);
      writer.forget(1);
    }
  } catch (cause) {
    throw journalFailure(cause);
  }
}
