/**
 * The structured log: NDJSON in a file and on standard output, and OpenTelemetry log records.
 * Standard output is readable on a terminal. Every text is made printable. Lines gather for some milliseconds, are formatted
 * together and are one write to each output, so that callers do not wait for them.
 */
import { logs, ROOT_CONTEXT, SeverityNumber, type Span, trace } from '@opentelemetry/api';
import { type DestinationStream, pino } from 'pino';
import { HestiaError } from '../shapes/error.ts';
import type { EventFields } from '../shapes/event.ts';
import { printable, truncated } from '../shapes/text.ts';
import { bufferedBytesMax, openLogFile } from './log-file.ts';
import { scopeName } from './names.ts';

/** Severity of a log line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a log line contains besides its message and fields. */
export interface LogOptions {
  /** The span whose ids the line contains; the active one by default. */
  span?: Span | undefined;
  /** A failure of the hub: its type, message and stack become `exception_…` fields, and an exception of the log record. */
  error?: unknown;
  /** Writes only to the file and standard output, not to the collector. */
  local?: boolean;
}

/** The log. Fields are flat, and `undefined` values are omitted. It never throws and never waits for a slow output. */
export interface Log {
  debug(message: string, fields?: EventFields, options?: LogOptions): void;
  info(message: string, fields?: EventFields, options?: LogOptions): void;
  warn(message: string, fields?: EventFields, options?: LogOptions): void;
  error(message: string, fields?: EventFields, options?: LogOptions): void;
  /** Formats and writes waiting lines now. Call it before telemetry shuts down. */
  flush(): void;
  /** Writes buffered lines. Resolves even if the file cannot be written. */
  close(): Promise<void>;
}

/** A log whose file may be rotated. */
export interface OpenedLog extends Log {
  /** Opens the file again if it was moved. That happens within a second anyway. */
  reopen(): void;
}

/** The outputs of the log. */
export interface LogTarget {
  /** Path of the NDJSON file. Its folder must exist. */
  file: string;
  /** The size at which the file is renamed to `<file>.1`, and older ones to `.2` up to `.5`; if undefined, never. */
  bytesMax?: number | undefined;
  level: LogLevel;
  /** `none` in tests. */
  standardOutput: 'ndjson' | 'readable' | 'none';
}

/** The longest text of a field, in UTF-16 units; long enough for a stack trace. */
const fieldLengthMax = 4096;

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const satisfies Record<LogLevel, SeverityNumber>;

/**
 * Opens the log. The file is appended to, in the background.
 * @throws Error if the file cannot be opened
 */
export async function openLog(target: LogTarget): Promise<OpenedLog> {
  const file = openLogFile({ path: target.file, bytesMax: target.bytesMax });
  const outputs = [file, ...(await standardOutput(target))];
  let waiting: Line[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const flushed = waiting.map((line) => ({
      ...line,
      message: printable(line.message),
      fields: cleaned(line.fields),
    }));
    waiting = [];
    const text = flushed.map(lineText).join('');
    for (const output of outputs) output.write(text);
    for (const line of flushed) if (!line.isLocal) emitRecord(line);
  };
  const writer =
    (level: LogLevel) =>
    (message: string, fields: EventFields = {}, options: LogOptions = {}): void => {
      if (severities[level] < severities[target.level]) return;
      const { span = trace.getActiveSpan(), error, local: isLocal = false } = options;
      timer ??= setTimeout(flush, gatherMs);
      waiting.push({ time: new Date(), level, message, fields, span, error, isLocal });
      if (waiting.length >= linesWaitingMax) flush();
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    flush,
    reopen: file.reopen,
    close: () => {
      flush();
      return file.close();
    },
  };
}

/** How long lines gather before they are formatted and written, in milliseconds. */
const gatherMs = 25;

/** The number of waiting lines at which all are formatted immediately. */
const linesWaitingMax = 1024;

interface Line {
  time: Date;
  level: LogLevel;
  message: string;
  fields: EventFields;
  span: Span | undefined;
  error: unknown;
  isLocal: boolean;
}

/** A line whose texts are printable and whose fields are defined. */
interface CleanLine extends Line {
  fields: ReturnType<typeof cleaned>;
}

/** The NDJSON of a line. */
function lineText({ level, time, span, fields, error, message }: CleanLine): string {
  const timestamp = time.toISOString();
  const exception = exceptionFields(error, 'exception_');
  return `${JSON.stringify({ level, timestamp, ...spanIds(span), ...fields, ...exception, message })}\n`;
}

function spanIds(span: Span | undefined) {
  if (span === undefined) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

function emitRecord({ time, level, span, error, message, fields }: CleanLine): void {
  logs.getLogger(scopeName).emit({
    timestamp: time,
    severityNumber: severities[level],
    severityText: level.toUpperCase(),
    body: message,
    attributes: { ...fields, ...exceptionFields(error, 'exception.') },
    context: span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span),
  });
}

async function standardOutput(target: LogTarget): Promise<DestinationStream[]> {
  switch (target.standardOutput) {
    case 'none':
      return [];
    case 'ndjson':
      return [whileOpen(standardStream())];
    case 'readable': {
      const { default: pretty } = await import('pino-pretty');
      return [pretty(readableOptions)];
    }
    default:
      return target.standardOutput satisfies never;
  }
}

const readableOptions = {
  messageKey: 'message',
  timestampKey: 'timestamp',
  translateTime: 'SYS:HH:MM:ss.l',
  singleLine: true,
  ignore: 'span_id',
  sync: true,
} as const;

/** Standard output, written without waiting for its reader. A closed pipe stops the output, not the hub. */
function standardStream(): FileStream {
  const stream = pino.destination({ dest: 1, sync: false, maxLength: bufferedBytesMax });
  stream.on('error', () => stream.destroy());
  return stream;
}

/** Ignores lines for a destroyed output, so that the other outputs still receive them. */
function whileOpen(stream: FileStream & { destroyed?: boolean }): DestinationStream {
  return {
    write: (line) => {
      if (stream.destroyed !== true) stream.write(line);
    },
  };
}

type FileStream = ReturnType<typeof pino.destination>;

function cleaned(fields: EventFields): Record<string, string | number | boolean> {
  const result: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    result[key] = typeof value === 'string' ? printable(truncated(value, fieldLengthMax)) : value;
  }
  return result;
}

function exceptionFields(error: unknown, prefix: 'exception_' | 'exception.'): ReturnType<typeof cleaned> {
  if (error === undefined) return {};
  if (!(error instanceof Error)) return { [`${prefix}type`]: typeof error };
  const cause = error.cause instanceof Error ? error.cause : undefined;
  return cleaned({
    [`${prefix}type`]: error instanceof HestiaError ? error.code : error.name,
    [`${prefix}message`]: [error.message, error instanceof HestiaError ? error.internal : undefined, cause?.message]
      .filter((text) => text !== undefined && text !== '')
      .join(': '),
    [`${prefix}stacktrace`]: cause?.stack ?? error.stack,
  });
}
