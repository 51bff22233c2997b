/**
 * Streams of list changes for 2025-era MCP clients, over server-sent events. A stream reports the changes of the namespace of its
 * caller only, and ends with the caller's key or access token.
 */
import type { Caller } from '../shapes/access.ts';

/** A register of open streams of list changes, bounded. */
export interface ListChangeStreams {
  /**
   * An SSE response that reports each change until the client disconnects or the credential of the caller ends; undefined where
   * too many are open.
   */
  open(caller: Caller, client: AbortSignal): Response | undefined;
  /** Reports a change to the callers of a namespace. */
  notify(namespace: string): void;
  close(): void;
}

const streamsMax = 1024;
const keepAliveMs = 15_000;
const listChanged = `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`;

/** Creates an empty register. */
export function createListChangeStreams(): ListChangeStreams {
  const encoder = new TextEncoder();
  const writers = new Set<{ namespace: string; write: (text: string) => void; end: () => void }>();
  return {
    open: ({ namespace, ended }, client) => {
      const signal = ended === undefined ? client : AbortSignal.any([client, ended]);
      if (signal.aborted || writers.size >= streamsMax) return undefined;
      let forget: () => void = () => {};
      const body = new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            const writer = {
              namespace,
              write: (text: string) => {
                // A client that does not read gets no further hint: one is enough to list the tools again.
                if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
              },
              end: () => {
                if (forgetWriter()) controller.close();
              },
            };
            const forgetWriter = () => {
              clearInterval(keepAlive);
              signal.removeEventListener('abort', writer.end);
              return writers.delete(writer);
            };
            forget = forgetWriter;
            const keepAlive = setInterval(() => writer.write(': keep-alive\n\n'), keepAliveMs);
            writers.add(writer);
            writer.write(': open\n\n');
            signal.addEventListener('abort', writer.end, { once: true });
          },
          cancel: () => forget(),
        },
        { highWaterMark: 64 },
      );
      return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
    },
    notify: (changed) => {
      for (const { namespace, write } of writers) {
        if (namespace === changed) write(listChanged);
      }
    },
    close: () => {
      for (const { end } of [...writers]) end();
    },
  };
}
