/**
 * Bounds what the hub holds of a stream of events that its client does not read. Of progress it keeps the last event, of changes
 * of a list one each, no comment, and all other events. The SDK writes to its streams whether or not they are read.
 */
import { isJsonObject } from '../shapes/json.ts';

/** The response, with its stream of events bounded. Another response is returned as it is. */
export function boundedStream(response: Response): Response {
  const { body, status, statusText, headers } = response;
  if (body === null || headers.get('content-type')?.startsWith('text/event-stream') !== true) return response;
  return new Response(boundedEvents(body), { status, statusText, headers });
}

/** The stream, read at once. Each of its chunks is an event or a comment. */
function boundedEvents(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  /** What the client has not read yet, in its order, by a key that events which replace each other share. */
  const unread = new Map<string, Uint8Array>();
  let sequence = 0;
  let end: { error?: unknown } | undefined;
  let isClosed = false;
  const deliver = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    for (const [key, chunk] of unread) {
      if ((controller.desiredSize ?? 0) <= 0) return;
      unread.delete(key);
      controller.enqueue(chunk);
    }
    if (end === undefined || isClosed || unread.size > 0) return;
    isClosed = true;
    if ('error' in end) controller.error(end.error);
    else controller.close();
  };
  const pump = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        sequence += 1;
        const key = replaceableKey(part.value) ?? `#${sequence}`;
        if (key === comment && unread.size > 0) continue;
        unread.delete(key);
        unread.set(key, part.value);
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
      isClosed = true;
      unread.clear();
      return reader.cancel(reason);
    },
  });
}

const comment = 'comment';
const notificationPattern = /"method":"(notifications\/(?:progress|[a-z]+\/list_changed))"/;
/** The most bytes before the method of a notification: that of the message comes first, or after its `jsonrpc`. */
const headBytesMax = 128;

/** What later events of the same key replace; undefined for an event that nothing replaces. */
function replaceableKey(chunk: Uint8Array): string | undefined {
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
