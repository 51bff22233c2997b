/**
 * The lines of an audit export, read page by page from the journal and its checkpoints.
 * A header comes first, then the records as they are stored, with each checkpoint after its last record, then the signed end.
 * Verification of a running hub and of a journal's folder reads the same lines.
 */
import { setImmediate } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import type { CheckpointLine } from '../../../journal/checkpoint.ts';
import type { Journal } from '../../../journal/journal.ts';
import {
  type AuditExportCheckpoint,
  type AuditExportEnd,
  type AuditExportHeader,
  exportCheckpointType,
  exportEndType,
  exportHeaderType,
} from '../../../shapes/audit-log/export.ts';

/** What the lines of a running hub are read from. */
export interface TrailSources {
  journal: Pick<Journal, 'read' | 'firstSeq' | 'tree'>;
  /** Reads checkpoints by size, ascending: above `after`, up to and including `until`. */
  checkpoints: (range: { after: number; until: number }) => AsyncIterable<CheckpointLine>;
  origin: string;
  writerId: string;
  /** The verifier keys that sign checkpoints now. */
  vkeys: () => readonly string[];
}

/**
 * Reads the lines of the records that are stored, up to record `until`.
 * @throws HestiaError CONFLICT where records were deleted while they were read; STORAGE_FAILED
 */
export async function* trailLines(sources: TrailSources, until: number): AsyncGenerator<readonly string[]> {
  const { journal, origin, writerId, vkeys } = sources;
  const firstSeq = journal.firstSeq();
  const frontier = await journal.tree.frontierAt(firstSeq - 1);
  const header = { origin, writerId, vkeys: vkeys(), firstSeq, frontier };
  yield* exportLines(header, {
    records: textPages(journal.read({ from: firstSeq, to: until })),
    checkpoints: sources.checkpoints({ after: firstSeq - 1, until }),
  });
}

async function* textPages(pages: ReturnType<Journal['read']>): AsyncGenerator<readonly string[]> {
  for await (const page of pages) {
    yield page.map(({ line }) => line);
    // Calls run between two pages.
    await setImmediate();
  }
}

/** What a header states. */
export interface ExportHeader {
  origin: string;
  writerId: string;
  vkeys: readonly string[];
  firstSeq: number;
  /** The roots of the perfect subtrees over the records before `firstSeq`. */
  frontier: readonly Buffer[];
}

/** The records from the first on, and their checkpoints, both ascending. */
export interface ExportContent {
  records: AsyncIterable<readonly string[]>;
  checkpoints: AsyncIterable<CheckpointLine>;
}

/** The lines of an export, in pages. Checkpoints beyond the last record come before the end. */
export async function* exportLines(
  { origin, writerId, vkeys, firstSeq, frontier }: ExportHeader,
  { records, checkpoints }: ExportContent,
): AsyncGenerator<readonly string[]> {
  const header: AuditExportHeader = {
    type: exportHeaderType,
    origin,
    writer_id: writerId,
    vkeys: [...vkeys],
    first_seq: firstSeq,
    frontier: frontier.map((root) => root.toString('base64')),
  };
  yield [canonicalLine(header)];
  const merged = createCheckpointMerge(checkpoints, firstSeq - 1);
  let count = 0;
  try {
    for await (const page of records) {
      count += page.length;
      yield await merged.insert(page);
    }
    const { notes, last, lines } = await merged.rest();
    if (lines.length > 0) yield lines;
    const end: AuditExportEnd = {
      type: exportEndType,
      records: count,
      checkpoints: notes,
      ...(last && { note: last }),
    };
    yield [canonicalLine(end)];
  } finally {
    await merged.close();
  }
}

/** Inserts each checkpoint after the record that it covers last. */
function createCheckpointMerge(checkpoints: AsyncIterable<CheckpointLine>, sizeBefore: number) {
  const iterator = checkpoints[Symbol.asyncIterator]();
  let size = sizeBefore;
  let notes = 0;
  let last: string | undefined;
  let next: CheckpointLine | undefined;
  let isStarted = false;
  const read = async () => {
    const { done, value } = await iterator.next();
    next = done ? undefined : value;
  };
  const lineOf = (checkpoint: CheckpointLine): string => {
    notes += 1;
    last = checkpoint.note;
    const { size: covered, note } = checkpoint;
    return canonicalLine({ type: exportCheckpointType, size: covered, note } satisfies AuditExportCheckpoint);
  };
  return {
    insert: async (page: readonly string[]): Promise<readonly string[]> => {
      if (!isStarted) await read();
      isStarted = true;
      const lines: string[] = [];
      for (const line of page) {
        lines.push(line);
        size += 1;
        for (; next !== undefined && next.size <= size; await read()) lines.push(lineOf(next));
      }
      return lines;
    },
    rest: async () => {
      if (!isStarted) await read();
      const lines: string[] = [];
      for (; next !== undefined; await read()) lines.push(lineOf(next));
      return { notes, last, lines };
    },
    close: async () => void (await iterator.return?.()),
  };
}

function canonicalLine(value: object): string {
  return canonicalize(value) ?? '';
}
