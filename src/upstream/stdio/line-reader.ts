/** Splits a stream of bytes into lines, in linear time, with a limit on the length of a line. */

/** What {@link LineReader} needs. */
export interface LineReaderDeps {
  /** The longest line, in bytes. */
  bytesMax: number;
  /** Called with each line, without its line break. */
  onLine(line: string): void;
  /** Called once, when a line is longer than `bytesMax`. Nothing is read afterwards. */
  onTooLong(): void;
}

const lineFeed = 0x0a;
const bufferBytesMin = 65_536;
/** A larger buffer is released after its line, so that one long line does not hold memory for the whole session. */
const bufferBytesKept = 1_048_576;

/** Reads lines. Owns the buffer of the incomplete line, which doubles when it is full. */
export class LineReader {
  readonly #deps: LineReaderDeps;
  #buffer = Buffer.alloc(0);
  #length = 0;
  #stopped = false;

  constructor(deps: LineReaderDeps) {
    this.#deps = deps;
  }

  /** Adds bytes of the stream, and reports each line that they complete. */
  add(chunk: Buffer): void {
    let from = 0;
    for (let to = chunk.indexOf(lineFeed); to >= 0 && !this.#stopped; to = chunk.indexOf(lineFeed, from)) {
      this.#complete(chunk.subarray(from, to));
      from = to + 1;
    }
    if (!this.#stopped) this.#keep(chunk.subarray(from));
  }

  /** Stops reading. Later bytes are dropped. */
  stop(): void {
    this.#stopped = true;
    this.#release();
  }

  #complete(end: Buffer): void {
    if (this.#exceeds(end.length)) return;
    if (this.#length === 0) {
      this.#deps.onLine(end.toString('utf8'));
      return;
    }
    this.#keep(end);
    const line = this.#buffer.toString('utf8', 0, this.#length);
    this.#length = 0;
    if (this.#buffer.length > bufferBytesKept) this.#release();
    this.#deps.onLine(line);
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0 || this.#exceeds(bytes.length)) return;
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(bufferBytesMin, 2 * this.#buffer.length, needed));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  #exceeds(bytesAdded: number): boolean {
    if (this.#length + bytesAdded <= this.#deps.bytesMax) return false;
    this.stop();
    this.#deps.onTooLong();
    return true;
  }

  #release(): void {
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }
}
