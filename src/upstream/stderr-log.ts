/**
 * A child's standard error, line by line to our log: each line printable and cut, so many lines a second and then a
 * count of what was left out. Never holds more than one cut line, however long the child's lines are.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable, truncated } from '../shapes/text.ts';
import type { UpstreamLog } from './log.ts';

const lineLengthMax = 1000;
const linesPerWindowMax = 20;
const windowMs = 1000;

/** Whose standard error is read, and where it goes. */
export interface StderrLogDeps {
  serverId: string;
  log: UpstreamLog;
}

/** Reads a child's standard error until it ends. It is read at any speed, so that the child never waits for us. */
export function logStderr(stream: Readable, deps: StderrLogDeps): void {
  const lines = new LineLog(deps);
  const decoder = new StringDecoder('utf8');
  stream.on('data', (chunk: Buffer) => lines.add(decoder.write(chunk)));
  stream.on('end', () => lines.end());
  stream.on('error', () => lines.end());
}

/** Owns the half-read line and the timer of the window under way. */
class LineLog {
  readonly #deps: StderrLogDeps;
  #partial = '';
  #written = 0;
  #leftOut = 0;
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
    // One unit over the limit tells that something was cut.
    const room = lineLengthMax + 1 - this.#partial.length;
    if (room > 0) this.#partial += text.slice(from, Math.min(to, from + room));
  }

  #write(): void {
    const line = this.#partial.trimEnd();
    this.#partial = '';
    if (line === '') return;
    this.#window ??= setTimeout(() => this.#closeWindow(), windowMs).unref();
    if (this.#written >= linesPerWindowMax) {
      this.#leftOut += 1;
      return;
    }
    this.#written += 1;
    const shown = truncated(printable(line), lineLengthMax);
    const fields = { server_id: this.#deps.serverId, line: shown };
    // A server may print what it was called with, which is not exported.
    this.#deps.log.info('Upstream server wrote to standard error', fields, { local: true });
  }

  #closeWindow(): void {
    this.#window = undefined;
    this.#written = 0;
    if (this.#leftOut === 0) return;
    const fields = { server_id: this.#deps.serverId, lines_left_out: this.#leftOut };
    this.#leftOut = 0;
    this.#deps.log.warn('Lines of an upstream server on standard error were left out', fields);
  }
}
