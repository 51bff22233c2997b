/**
 * The bus of list changes for the subscriptions of MCP 2026-07-28. A subscription takes a place of streams, and
 * receives the changes that concern its caller: the library subscribes while it handles the request.
 */

import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import type { Caller } from '../../shapes/access.ts';
import type { StreamPlaces } from '../request/stream-places.ts';

/** The bus. What is published without callers reaches every subscription. */
export interface ChangeBus extends ServerEventBus {
  /**
   * Handles a request to subscribe, which may fail. Undefined, without calling `handle`, where no place is left or the key of the
   * caller has its share of places.
   */
  subscribing<T>(caller: Caller, handle: () => Promise<T>): Promise<T> | undefined;
  /** Reports an event to the subscriptions of the callers that it concerns. */
  publishTo(concerns: (caller: Caller) => boolean, event: ServerEvent): void;
}

/** A request to subscribe. Its place is given back when the subscription ends, or if there was none. */
interface Subscribing {
  caller: Caller;
  giveBack: () => void;
  isSubscribed: boolean;
}

/** Creates a bus without subscriptions. */
export function createChangeBus(places: StreamPlaces): ChangeBus {
  const current = new AsyncLocalStorage<Subscribing>();
  const listeners = new Map<(event: ServerEvent) => void, Caller>();
  return {
    subscribing: (caller, handle) => {
      const giveBack = places.take(caller);
      if (giveBack === undefined) return undefined;
      const subscribing = { caller, giveBack, isSubscribed: false };
      return current.run(subscribing, handle).finally(() => {
        if (!subscribing.isSubscribed) giveBack();
      });
    },
    subscribe: (listener) => {
      const subscribing = current.getStore();
      assert(subscribing !== undefined, 'the SDK subscribes while it handles a request to subscribe');
      const { caller, giveBack } = subscribing;
      subscribing.isSubscribed = true;
      listeners.set(listener, caller);
      return () => {
        if (listeners.delete(listener)) giveBack();
      };
    },
    publish: (event) => {
      for (const listener of listeners.keys()) listener(event);
    },
    publishTo: (concerns, event) => {
      for (const [listener, caller] of listeners) if (concerns(caller)) listener(event);
    },
  };
}
