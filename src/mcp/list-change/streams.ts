/**
 * Streams of list changes for 2025-era MCP clients, over server-sent events. A stream reports the changes that
 * concern its caller, and ends with the caller's key or access token.
 */
import type { Caller } from '../../shapes/access.ts';
import { type StreamOptions, type StreamPlaces, takePlace } from '../request/stream-places.ts';

/** A register of open streams of list changes. Each takes a place. */
export interface ListChangeStreams {
  /**
   * An SSE response that reports each change until the client disconnects or the credential of the caller ends; undefined where
   * no place is left, or the key has its share of places.
   */
  open(caller: Caller, client: AbortSignal, options?: StreamOptions): Response | undefined;
  /** Reports a change to the callers that it concerns. */
  notify(concerns: (caller: Caller) => boolean, change: ListChange): void;
  close(): void;
}

/** The list that has changed. */
export type ListChange = 'tools' | 'prompts' | 'resources';

const keepAliveMs = 15_000;

function changeEvent(change: ListChange): string {
  const message = { jsonrpc: '2.0', method: `notifications/${change}/list_changed` };
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

interface Writer {
  caller: Caller;
  write: (text: string) => void;
  end: () => void;
}

/** Creates an empty register. */
export function createListChangeStreams(places: StreamPlaces): ListChangeStreams {
  const writers = new Set<Writer>();
  return {
    open: (caller, client, options) => {
      const { ended } = caller;
      const signal = ended === undefined ? client : AbortSignal.any([client, ended]);
      if (signal.aborted) return undefined;
      const onEnd = takePlace(places, caller, options);
      if (onEnd === undefined) return undefined;
      const body = openBody(writers, { caller, signal, onEnd });
      return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
    },
    notify: (concerns, change) => {
      for (const { caller, write } of writers) if (concerns(caller)) write(changeEvent(change));
    },
    close: () => {
      for (const { end } of [...writers]) end();
    },
  };
}

/** The body of a stream, in `writers` until the client disconnects or the signal aborts. `onEnd` is called once. */
function openBody(
  writers: Set<Writer>,
  { caller, signal, onEnd }: { caller: Caller; signal: AbortSignal; onEnd: () => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let forget: () => boolean = () => false;
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const writer: Writer = {
      caller,
      write: (text) => {
        // A client that does not read gets no further hint: those that it has not read are enough to list again.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
      },
      end: () => {
        if (forget()) controller.close();
      },
    };
    const keepAlive = setInterval(() => writer.write(': keep-alive\n\n'), keepAliveMs);
    forget = () => {
      clearInterval(keepAlive);
      signal.removeEventListener('abort', writer.end);
      if (!writers.delete(writer)) return false;
      onEnd();
      return true;
    };
    writers.add(writer);
    writer.write(': open\n\n');
    signal.addEventListener('abort', writer.end, { once: true });
  };
  return new ReadableStream<Uint8Array>({ start, cancel: () => void forget() }, { highWaterMark: 64 });
}
