/**
 * Sessions of 2025-era MCP clients: session ids, cancellation, and streams of list changes. A session
 * holds nothing but its running calls, so any hub can serve its next request.
 */
import { randomUUID } from 'node:crypto';

/** Running calls by key, session and request id, so that `notifications/cancelled` finds the right one. */
export interface LegacySessions {
  /** A new session id; any client may present it to any replica. */
  newSessionId(): string;
  /**
   * Registers a call.
   * @returns the call's signal, which aborts on cancellation and with `client`, and a function that removes the call.
   *   Without a session id only `client` can end it.
   */
  open(call: CallAddress, client: AbortSignal): { signal: AbortSignal; close: () => void };
  /** Cancels a call of the same key and session; false where there is none. */
  cancel(call: CallAddress): boolean;
}

/** The address of a call. Request ids are unique within a session only. */
export interface CallAddress {
  keyId: string;
  sessionId: string | undefined;
  requestId: string | number;
}

/** Creates an empty register. */
export function createLegacySessions(): LegacySessions {
  const calls = new Map<string, AbortController>();
  return {
    newSessionId: () => randomUUID(),
    open: (call, client) => {
      if (call.sessionId === undefined) return { signal: client, close: () => undefined };
      const controller = new AbortController();
      const onGone = () => controller.abort();
      if (client.aborted) onGone();
      client.addEventListener('abort', onGone, { once: true });
      const at = keyOf(call);
      calls.set(at, controller);
      return {
        signal: controller.signal,
        close: () => {
          client.removeEventListener('abort', onGone);
          if (calls.get(at) === controller) calls.delete(at);
        },
      };
    },
    cancel: (call) => {
      const controller = call.sessionId === undefined ? undefined : calls.get(keyOf(call));
      controller?.abort();
      return controller !== undefined;
    },
  };
}

function keyOf({ keyId, sessionId, requestId }: CallAddress): string {
  return JSON.stringify([keyId, sessionId, requestId]);
}

/** A register of open streams of list changes, bounded. */
export interface ListChangeStreams {
  /** An SSE response that reports each change until the client disconnects; undefined where too many are open. */
  open(signal: AbortSignal): Response | undefined;
  notify(): void;
  close(): void;
}

const streamsMax = 1024;
const keepAliveMs = 15_000;
const listChanged = `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`;

/** Creates an empty register. */
export function createListChangeStreams(): ListChangeStreams {
  const encoder = new TextEncoder();
  const writers = new Set<{ write: (text: string) => void; end: () => void }>();
  return {
    open: (signal) => {
      if (signal.aborted || writers.size >= streamsMax) return undefined;
      let forget: () => void = () => {};
      const body = new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            const writer = {
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
    notify: () => {
      for (const { write } of writers) write(listChanged);
    },
    close: () => {
      for (const { end } of [...writers]) end();
    },
  };
}
