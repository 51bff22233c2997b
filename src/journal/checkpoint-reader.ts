/**
 * Reads the signed checkpoints of a journal from `checkpoints.ndjson`, from the file alone.
 * An incomplete last line, which a crash leaves, is skipped.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../flow/system-error.ts';
import { parsedJson } from '../shapes/json.ts';
import { type CheckpointLine, checkpointLineSchema, checkpointSizeOf } from './checkpoint.ts';
import { checkpointLinesName } from './checkpoint-files.ts';
import { journalFailure } from './journal-error.ts';

/** Sizes of checkpoints: above `after`, up to and including `until`. */
export interface CheckpointRange {
  after: number;
  until: number;
}

/**
 * Reads checkpoints, the smallest first. Lines that are not checkpoints are skipped; verification finds what they do not cover.
 * @throws JournalError `io` if the file cannot be read; a missing file has no checkpoints
 */
export async function* readCheckpoints(directory: string, range: CheckpointRange): AsyncGenerator<CheckpointLine> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(join(directory, checkpointLinesName), { encoding: 'utf8' })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const size = checkpointSizeOf(line);
        if (size <= range.after) continue;
        if (size > range.until) return;
        const parsed = checkpointLineSchema.safeParse(parsedJson(line));
        if (parsed.success) yield parsed.data;
      }
    }
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw journalFailure(cause);
  }
}
