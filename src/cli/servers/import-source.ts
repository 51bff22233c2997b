/** Reads a configuration file of an MCP client: JSON with comments, TOML (Codex) or YAML (Goose). */
import { extname } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { LineCounter, parseDocument } from 'yaml';
import { systemErrorCode } from '../../flow/system-error.ts';
import { readTextFile } from '../../flow/text-file.ts';
import { parseJsonText } from '../../shapes/configuration/file/json-text.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { CommandError, exitCodes } from '../command-error.ts';

/** The longest file that is read, in characters. */
const fileLengthMax = 16 * 1_048_576;

/**
 * Reads and parses a file by its name: `.toml`, `.yaml`, `.yml`, else JSON.
 * @throws CommandError with file, line and column. It never shows the text, which may contain secrets.
 */
export function readClientFile(file: string): JsonObject {
  const text = readText(file);
  const value = parsedBy(extname(file).toLowerCase(), text, file);
  if (!isJsonObject(value)) throw new CommandError(exitCodes.failed, `${file}: must hold an object of settings`);
  return value;
}

function readText(file: string): string {
  let text: string;
  try {
    text = readTextFile(file);
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(exitCodes.usage, `${file}: cannot be read (${code})`, { cause });
  }
  if (text.length > fileLengthMax)
    throw new CommandError(exitCodes.usage, `${file}: is longer than ${fileLengthMax} characters`);
  return text.replace(/^\ufeff/, '');
}

function parsedBy(extension: string, text: string, file: string): unknown {
  if (extension === '.toml') return parsedToml(text, file);
  if (extension === '.yaml' || extension === '.yml') return parsedYaml(text, file);
  const parsed = parseJsonText(text);
  if (parsed.outcome === 'parsed') return parsed.value;
  const { line, column } = parsed.place;
  throw new CommandError(exitCodes.failed, `${file}:${line}:${column}: not valid JSON: ${parsed.reason}`);
}

function parsedToml(text: string, file: string): unknown {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The rest of the message is the text at the place.
    const [reason = ''] = cause.message.split('\n');
    throw new CommandError(exitCodes.failed, `${file}:${cause.line}:${cause.column}: ${reason}`, { cause });
  }
}

function parsedYaml(text: string, file: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter });
  const [error] = document.errors;
  if (error === undefined) return document.toJS();
  const { line, col } = lineCounter.linePos(error.pos[0]);
  throw new CommandError(exitCodes.failed, `${file}:${line}:${col}: not valid YAML (${error.code})`);
}
