/**
 * Bounds what the hub holds of a stream of events that its client does not read. Of progress it keeps the last event, of changes
 * of a list one each, no comment, and of other notifications the newest. Answers and requests of a server are all kept.
 * The SDK writes to its streams whether or not they are read.
 */
import { isJsonObject } from '../shapes/json.ts';

/**
 * The response, with its stream of events bounded. Another response is returned as it is.
 * @param onEnd called once, when the stream has ended or its client has disconnected
 */
export function boundedStream(response: Response, onEnd = (): void => undefined): Response {
  const { body, status, statusText, headers } = response;
  if (body === null || headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    onEnd();
    return response;
  }
  return new Response(boundedEvents(body, onEnd), { status, statusText, headers });
}

/** The bytes of notifications that are held of one stream. Older ones are dropped. */
const notificationBytesMax = 1_048_576;

/** The stream, read at once. Each of its chunks is an event or a comment. */
function boundedEvents(source: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const unread = new UnreadEvents();
  let end: { error?: unknown } | undefined;
  let isClosed = false;
  const deliver = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    while ((controller.desiredSize ?? 0) > 0) {
      const chunk = unread.next();
      if (chunk === undefined) break;
      controller.enqueue(chunk);
    }
    if (end === undefined || isClosed || unread.size > 0) return;
    isClosed = true;
    onEnd();
    if ('error' in end) controller.error(end.error);
    else controller.close();
  };
  const pump = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        unread.add(part.value);
        deliver(controller);
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    deliver(controller);
  };
  return new ReadableStream<Uint8Array>({
    start: (controller) => void pump(controller),
    pull: deliver,
    cancel: (reason) => {
      if (!isClosed) onEnd();
      isClosed = true;
      unread.clear();
      return reader.cancel(reason);
    },
  });
}

/** What a client has not read yet, in its order. */
class UnreadEvents {
  /** By a key that events which replace each other share. */
  readonly #events = new Map<string, Uint8Array>();
  /** The keys of other notifications, with their bytes. */
  readonly #droppable = new Map<string, number>();
  #droppableBytes = 0;
  #sequence = 0;

  get size(): number {
    return this.#events.size;
  }

  add(chunk: Uint8Array): void {
    const kind = kindOf(chunk);
    if (kind === comment && this.size > 0) return;
    this.#sequence += 1;
    const isNotification = kind?.startsWith('notifications/') === true;
    const isReplaced = kind === comment || (isNotification && replaceable.test(kind));
    const key = isReplaced && kind !== undefined ? kind : `#${this.#sequence}`;
    this.#events.delete(key);
    this.#events.set(key, chunk);
    if (!isNotification || isReplaced) return;
    this.#droppable.set(key, chunk.byteLength);
    this.#droppableBytes += chunk.byteLength;
    // The newest is kept, whatever its length.
    for (const oldest of this.#droppable.keys()) {
      if (this.#droppableBytes <= notificationBytesMax || oldest === key) return;
      this.#remove(oldest);
    }
  }

  /** Takes the oldest event. */
  next(): Uint8Array | undefined {
    for (const [key, chunk] of this.#events) {
      this.#remove(key);
      return chunk;
    }
    return undefined;
  }

  clear(): void {
    for (const key of [...this.#events.keys()]) this.#remove(key);
  }

  #remove(key: string): void {
    this.#events.delete(key);
    this.#droppableBytes -= this.#droppable.get(key) ?? 0;
    this.#droppable.delete(key);
  }
}

const comment = 'comment';
const replaceable = /^notifications\/(?:progress|[a-z]+\/list_changed)$/;
const notificationPattern = /"method":"(notifications\/[a-z_/]+)"/;
/** The most bytes before the method of a notification: that of the message comes first, or after its `jsonrpc`. */
const headBytesMax = 128;

/** The method of a notification, or that the event is a comment; undefined for every other message. */
function kindOf(chunk: Uint8Array): string | undefined {
  if (chunk[0] === ':'.charCodeAt(0)) return comment;
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const method = notificationPattern.exec(text.toString('latin1', 0, headBytesMax))?.[1];
  // The text may also be a part of a result.
  return method !== undefined && messageMethod(text.toString()) === method ? method : undefined;
}

function messageMethod(event: string): unknown {
  const data = /^data: (.*)$/m.exec(event)?.[1];
  try {
    const message: unknown = JSON.parse(data ?? '');
    return isJsonObject(message) && !('id' in message) ? message.method : undefined;
  } catch {
    return undefined;
  }
}
