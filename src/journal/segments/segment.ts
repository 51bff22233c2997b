/**
 * The segments of the journal: files of lines, named by the index of their first record, of 20 digits.
 * A segment ends where the next one begins. All but the last one are closed and never change.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One segment. */
export interface Segment {
  /** The index of its first record, from 0: the number of records before it. */
  first: number;
  file: string;
}

const extension = '.ndjson';
const namePattern = /^(\d{20})\.ndjson$/;

/** The folder of the segments in the journal's folder. */
export function segmentsFolder(directory: string): string {
  return join(directory, 'segments');
}

/** The segment that begins with the record of this index. */
export function segmentAt(directory: string, first: number): Segment {
  return { first, file: join(segmentsFolder(directory), `${String(first).padStart(20, '0')}${extension}`) };
}

/** Lists the segments by their first index. Files of other names are skipped. @throws an error of the file system */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = await readdir(segmentsFolder(directory));
  const firsts = names.flatMap((name) => {
    const digits = namePattern.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return firsts.toSorted((left, right) => left - right).map((first) => segmentAt(directory, first));
}
