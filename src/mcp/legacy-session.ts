/**
 * What 2025-era clients expect beyond one request: a session id, cancellation by a later request, and a stream of
 * list changes. Nothing is kept for a session but its calls under way, so any replica can serve the next request.
 */
import { randomUUID } from 'node:crypto';

/** Calls under way by who made them, so that `notifications/cancelled` finds the right one. */
export interface LegacySessions {
  /** A new session id; any client may present it to any replica. */
  newSessionId(): string;
  /**
   * Registers a call; answers its signal, which aborts with `client` too, and how to forget it. Without a session id
   * nothing but `client` can end it.
   */
  open(call: CallAddress, client: AbortSignal): { signal: AbortSignal; close: () => void };
  /** Cancels a call of the same key and session; false where there is none. */
  cancel(call: CallAddress): boolean;
}

/** Which call of which session of which key. Request ids are unique within a session only. */
export interface CallAddress {
  keyId: string;
  sessionId: string | undefined;
  requestId: string | number;
}

/** Makes an empty register. */
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
  /** An SSE response that tells of each change until the client goes; undefined where too many are open. */
  open(signal: AbortSignal): Response | undefined;
  notify(): void;
  close(): void;
}

const streamsMax = 1024;
const keepAliveMs = 15_000;
const listChanged = `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })}\n\n`;

/** Makes an empty register. */
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
                // A client that does not read gets nothing more: one hint to list again is as good as ten.
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
