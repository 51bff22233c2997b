/** What an auditor brings along: a public key, checkpoints that were kept elsewhere, an export in a file. */

import { createReadStream, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type VerifyingKey, verifyingKey } from '../domain/audit-verification.ts';
import { type AuditCheckpoint, auditCheckpointSchema, auditKeySchema } from '../shapes/audit-checkpoint.ts';
import { parsedJson } from '../shapes/json.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** Longest line of an export, in UTF-16 units; a record is far shorter. */
const lineLengthMax = 4_194_304;

/**
 * Reads a public key: a PEM file, or what `GET /v1/audit/key` answers.
 * @throws CommandError where there is none
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

/** A line of the log or of Loki holds the checkpoint as text in a field of that name. */
const checkpointLineSchema = z.object({ checkpoint: z.string() });

/**
 * Reads checkpoints from JSON text or from a file with one object a line: checkpoints, or lines of the hub's log that hold one.
 * @throws CommandError where one is neither
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
 * The lines of a file as they are read, in pages; only a line feed ends one.
 * @throws CommandError where the file cannot be read or is not UTF-8, or a line is too long
 */
export async function* fileLines(file: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { signal })) {
      const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineLengthMax) throw new CommandError(exitCodes.failed, `--file: ${file} has too long a line`);
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
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
  return new CommandError(exitCodes.usage, `${option}: cannot read ${file} (${code})`, { cause });
}
