/**
 * Opens the views for the projector, and builds them anew if they are not views of this journal.
 * The newest row must be the same record in both: a journal that was replaced, or that lost its end, has other rows.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { SegmentReader } from '../../journal/segments/segment-reader.ts';
import { storageErrorType } from '../storage-error.ts';
import { createProjection, type Projection } from './projection.ts';
import type { ProjectorStart } from './projector-messages.ts';
import { deleteViewsFile, openViewsWriter, ViewsFileError } from './views-file.ts';

/** Open views. `emptied` is the reason for which the file was deleted; undefined if its rows are kept. */
export interface OpenViews {
  connection: DatabaseSync;
  projection: Projection;
  emptied: string | undefined;
}

/** Opens the views of `start`. @throws what SQLite or the journal throws, such as on a full disk */
export async function openViews(start: ProjectorStart, journal: SegmentReader): Promise<OpenViews> {
  if (start.isRebuild) return emptied(start.file, 'the file could not be used');
  let connection: DatabaseSync | undefined;
  try {
    connection = openViewsWriter(start.file);
    const projection = createProjection(connection);
    const reason = await differenceOf(projection, start, journal);
    if (reason === undefined) return { connection, projection, emptied: undefined };
    connection.close();
    return emptied(start.file, reason);
  } catch (error) {
    if (connection?.isOpen) connection.close();
    if (isUnusable(error)) return emptied(start.file, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Whether an error means that the file must be built anew. */
export function isUnusable(error: unknown): boolean {
  return error instanceof ViewsFileError || storageErrorType(error) === 'corrupt';
}

function emptied(file: string, reason: string): OpenViews {
  deleteViewsFile(file);
  const connection = openViewsWriter(file);
  return { connection, projection: createProjection(connection), emptied: reason };
}

/** The reason why the views are not those of the journal; undefined if they are, or are empty. */
async function differenceOf(
  projection: Projection,
  { firstSeq, size }: ProjectorStart,
  journal: SegmentReader,
): Promise<string | undefined> {
  const position = projection.position();
  if (position === 0) return undefined;
  if (position > size) return `the journal ends with record ${size}, and the views with ${position}`;
  if (position < firstSeq) return `the journal begins with record ${firstSeq}, and the views end with ${position}`;
  for await (const [stored] of journal.read({ from: position, to: position })) {
    if (stored?.line === projection.line(position)) return undefined;
  }
  return `record ${position} of the journal is another one`;
}
