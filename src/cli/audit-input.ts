/** Input files of `hestia audit`: keys, checkpoints kept outside of the hub, an export. */

import { createReadStream, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type TrustedKey, trustedKey } from '../domain/data-offline.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { auditKeySchema } from '../shapes/audit-log/proof.ts';
import { isJsonObject, parsedJson } from '../shapes/json.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** Longest line of an export, in UTF-16 units; a record is far shorter. */
const lineLengthMax = 4_194_304;
/** Bytes of an export read at once. */
const readBytes = 1_048_576;

/**
 * Reads public keys: a PEM file, a response of `GET /v1/audit/key`, or verifier keys (C2SP signed-note), one a line.
 * @throws CommandError if the file holds something else
 */
export function readPublicKeys(file: string): TrustedKey[] {
  const text = readText('--public-key', file).trim();
  const answered = auditKeySchema.safeParse(parsedJson(text));
  const keys = answered.success ? answered.data.vkeys : text.startsWith('-----') ? [text] : text.split('\n');
  try {
    return keys.map(trustedKey);
  } catch (cause) {
    throw new CommandError(exitCodes.usage, `--public-key: ${file} does not hold an Ed25519 public key`, { cause });
  }
}

/** The event of the log lines that carry a checkpoint. Its name may also be in other lines, in the name of a tool for example. */
const checkpointEvent = 'AUDIT_CHECKPOINT';
const loggedSchema = z.object({ change_event: z.literal(checkpointEvent).optional(), checkpoint: z.string() });
const noteSchema = z.object({ note: z.string() });

/**
 * Reads checkpoints, as text or from a file: a signed note, such as the head file, or objects, one a line. An object with a checkpoint is a line of the
 * log, of Loki, of `checkpoints.ndjson` or of an export. Other objects are skipped.
 * @throws CommandError if there is no checkpoint, or a line is no object
 */
export function readCheckpoints(source: string): string[] {
  const isText = source.trimStart().startsWith('{') || isNote(source);
  const text = isText ? source : readText('--checkpoint', source);
  const notes = text.trimStart().startsWith('{') ? text.split('\n').flatMap(notesOfLine) : [noteOfLog(text)];
  if (notes.length > 0) return notes;
  throw new CommandError(exitCodes.usage, '--checkpoint: holds no checkpoint');
}

/** A note has a signature line, which begins with an em dash. */
function isNote(text: string): boolean {
  return noteOfLog(text).includes('\n— ');
}

function notesOfLine(line: string): string[] {
  if (line.trim() === '') return [];
  const value = parsedJson(line);
  const logged = loggedSchema.safeParse(value);
  // A checkpoint that is JSON itself is one of the hash chain that came before the journal.
  if (logged.success) return logged.data.checkpoint.startsWith('{') ? [] : [noteOfLog(logged.data.checkpoint)];
  const note = noteSchema.safeParse(value);
  if (note.success) return [note.data.note];
  if (isJsonObject(value) && value.change_event !== checkpointEvent) return [];
  throw new CommandError(exitCodes.usage, '--checkpoint: must be checkpoints, or lines of the log that hold one');
}

/** The log escapes control characters in its texts, which a note has only as the ends of its lines. */
function noteOfLog(text: string): string {
  return text.replaceAll('\\u000a', '\n');
}

/**
 * Reads a file and yields its lines in batches. Only a line feed ends a line.
 * @throws CommandError if the file cannot be read or is not UTF-8, or if a line is too long
 */
export async function* fileLines(file: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { signal, highWaterMark: readBytes })) {
      const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineLengthMax)
        throw new CommandError(exitCodes.failed, `--file: ${file} has a line that is too long`);
      yield lines;
    }
    rest += decoder.decode();
  } catch (cause) {
    if (cause instanceof CommandError || signal.aborted) throw cause;
    if (cause instanceof TypeError) throw new CommandError(exitCodes.failed, `--file: ${file} is not UTF-8`, { cause });
    throw unreadable('--file', file, cause);
  }
  if (rest !== '') yield [rest];
}

/** Reads the file that `option` names. @throws CommandError if it cannot be read */
export function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(option, file, cause);
  }
}

function unreadable(option: string, file: string, cause: unknown): CommandError {
  const code = systemErrorCode(cause) ?? 'unknown reason';
  return new CommandError(exitCodes.usage, `${option}: cannot read ${file} (${code})`, { cause });
}
