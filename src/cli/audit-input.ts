/** Input files of `hestia audit`: a public key, checkpoints stored outside the hub, an export. */

import { createReadStream, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type VerifyingKey, verifyingKey } from '../domain/audit-verification.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { type AuditCheckpoint, auditCheckpointSchema, auditKeySchema } from '../shapes/audit-checkpoint.ts';
import { parsedJson } from '../shapes/json.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** Longest line of an export, in UTF-16 units; a record is far shorter. */
const lineLengthMax = 4_194_304;

/**
 * Reads a public key: a PEM file, or a response of `GET /v1/audit/key`.
 * @throws CommandError if the file holds no Ed25519 public key
 */
export function readPublicKey(file: string): VerifyingKey {
  const text = readText('--public-key', file);
  const answered = auditKeySchema.safeParse(parsedJson(text));
  try {
    return verifyingKey(answered.success ? answered.data.public_key : text);
  } catch (cause) {
    throw new CommandError(exitCodes.usage, `--public-key: ${file} does not hold an Ed25519 public key`, { cause });
  }
}

/** A log line, from the file or from Loki, holds the checkpoint as JSON text in the field `checkpoint`. */
const checkpointLineSchema = z.object({ checkpoint: z.string() });

/**
 * Reads checkpoints from JSON text, or from a file with one object a line. An object is a checkpoint, or a log line that holds one.
 * @throws CommandError if an object is neither
 */
export function readCheckpoints(source: string): AuditCheckpoint[] {
  const text = source.trimStart().startsWith('{') ? source : readText('--checkpoint', source);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const value = parsedJson(line);
    const logged = checkpointLineSchema.safeParse(value);
    const checkpoint = auditCheckpointSchema.safeParse(logged.success ? parsedJson(logged.data.checkpoint) : value);
    if (checkpoint.success) return checkpoint.data;
    throw new CommandError(exitCodes.usage, '--checkpoint: must be checkpoints, or lines of the log that hold one');
  });
}

/**
 * Reads a file and yields its lines in batches. Only a line feed ends a line.
 * @throws CommandError if the file cannot be read or is not UTF-8, or if a line is too long
 */
export async function* fileLines(file: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { signal })) {
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

function readText(option: string, file: string): string {
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
