/**
 * Logs the standard error of a child process. Lines are made printable and truncated to 1,000 characters. At most 20
 * lines a second are logged, then a count of the omitted ones. Memory is bounded by one truncated line and the last lines.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable, truncated } from '../../shapes/text.ts';
import type { UpstreamLog } from '../log.ts';

const lineLengthMax = 1000;
const linesPerWindowMax = 20;
const windowMs = 1000;
/** How many of the last lines are kept, and the length of each. */
const linesKeptMax = 10;
const keptLengthMax = 300;

/** The server that owns the process, and the log. */
export interface StderrLogDeps {
  serverId: string;
  log: UpstreamLog;
}

/**
 * Logs a stream until it ends. The stream is always read, so that a full pipe never blocks the child process. Returns the
 * last lines, in an array that changes as lines arrive.
 */
export function logStderr(stream: Readable, deps: StderrLogDeps): readonly string[] {
  const lines = new LineLog(deps);
  const decoder = new StringDecoder('utf8');
  stream.on('data', (chunk: Buffer) => lines.add(decoder.write(chunk)));
  stream.on('end', () => lines.end());
  stream.on('error', () => lines.end());
  return lines.last;
}

/** Owns the incomplete line and the timer of the current window. */
class LineLog {
  readonly last: string[] = [];
  readonly #deps: StderrLogDeps;
  #partial = '';
  #writtenCount = 0;
  #omittedCount = 0;
  #window: NodeJS.Timeout | undefined;

  constructor(deps: StderrLogDeps) {
    this.#deps = deps;
  }

  add(text: string): void {
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      this.#extend(text, from, to);
      this.#write();
      from = to + 1;
    }
    this.#extend(text, from, text.length);
  }

  end(): void {
    this.#write();
    clearTimeout(this.#window);
    this.#closeWindow();
  }

  #extend(text: string, from: number, to: number): void {
    // One character over the limit is kept, so that `truncated` marks the line as truncated.
    const lengthLeft = lineLengthMax + 1 - this.#partial.length;
    if (lengthLeft > 0) this.#partial += text.slice(from, Math.min(to, from + lengthLeft));
  }

  #write(): void {
    const line = this.#partial.trimEnd();
    this.#partial = '';
    if (line === '') return;
    const shown = truncated(printable(line), lineLengthMax);
    this.last.push(truncated(shown, keptLengthMax));
    if (this.last.length > linesKeptMax) this.last.shift();
    this.#window ??= setTimeout(() => this.#closeWindow(), windowMs).unref();
    if (this.#writtenCount >= linesPerWindowMax) {
      this.#omittedCount += 1;
      return;
    }
    this.#writtenCount += 1;
    const fields = { server_id: this.#deps.serverId, line: shown };
    // A server may print the arguments of its calls, which are not exported.
    this.#deps.log.info('Upstream server wrote to standard error', fields, { local: true });
  }

  #closeWindow(): void {
    this.#window = undefined;
    this.#writtenCount = 0;
    if (this.#omittedCount === 0) return;
    const fields = { server_id: this.#deps.serverId, lines_left_out: this.#omittedCount };
    this.#omittedCount = 0;
    this.#deps.log.warn('Lines of an upstream server on standard error were omitted', fields);
  }
}
