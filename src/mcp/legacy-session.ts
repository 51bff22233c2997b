/**
 * Sessions of 2025-era MCP clients: session ids and cancellation. A session holds nothing but its running calls, so any hub can
 * serve its next request.
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
