/**
 * Writes messages to a stream: all messages of one turn of the event loop in one write. While the stream is full,
 * messages are queued, up to a limit.
 */
import type { Writable } from 'node:stream';

/** The most UTF-16 units of messages that are queued for a process that does not read. */
const queuedLengthMax = 67_108_864;

/** Owns the queue of messages. The stream remains its creator's, who handles its errors. */
export class TurnWriter {
  readonly #stream: Writable;
  #queue: string[] = [];
  #queuedLength = 0;
  #isScheduled = false;
  #isFull = false;
  #written = Promise.withResolvers<void>();

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('drain', () => {
      this.#isFull = false;
      this.#flush();
    });
  }

  /** Queues a message. Resolves when the stream has accepted it, and rejects if it has ended or too much is queued. */
  send(message: string): Promise<void> {
    if (!this.#stream.writable) return Promise.reject(new Error('the input of the process is closed'));
    if (this.#queuedLength + message.length > queuedLengthMax) {
      return Promise.reject(new Error('the process does not read its input'));
    }
    this.#queue.push(message);
    this.#queuedLength += message.length;
    if (!this.#isScheduled && !this.#isFull) {
      this.#isScheduled = true;
      // After the callbacks of this turn, each of which may send.
      setImmediate(() => this.#flush());
    }
    return this.#written.promise;
  }

  /** Writes what is queued, and closes the stream. */
  end(): void {
    this.#flush();
    this.#stream.end();
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#queue.length === 0 || !this.#stream.writable) return;
    const text = this.#queue.join('');
    this.#queue = [];
    this.#queuedLength = 0;
    const { resolve } = this.#written;
    this.#written = Promise.withResolvers<void>();
    this.#isFull = !this.#stream.write(text);
    resolve();
  }
}
