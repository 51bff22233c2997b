/**
 * The bus of list changes for the subscriptions of MCP 2026-07-28, separate for each namespace. A subscription receives the
 * changes of the namespace of its caller: the library subscribes while it handles the caller's request.
 */

import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';

/** The bus. What is published without a namespace reaches every subscription. */
export interface ChangeBus extends ServerEventBus {
  /** Handles a request of a caller in this namespace. */
  within<T>(namespace: string, handle: () => T): T;
  /** Reports a change of the tools to the subscriptions of a namespace. */
  notifyToolsChanged(namespace: string): void;
}

/** Creates a bus without subscriptions. */
export function createChangeBus(): ChangeBus {
  const current = new AsyncLocalStorage<string>();
  const listeners = new Map<(event: ServerEvent) => void, string>();
  return {
    within: (namespace, handle) => current.run(namespace, handle),
    subscribe: (listener) => {
      const namespace = current.getStore();
      assert(namespace !== undefined, 'the SDK subscribes while it handles a request');
      listeners.set(listener, namespace);
      return () => listeners.delete(listener);
    },
    publish: (event) => {
      for (const listener of listeners.keys()) listener(event);
    },
    notifyToolsChanged: (changed) => {
      for (const [listener, namespace] of listeners) {
        if (namespace === changed) listener({ kind: 'tools_list_changed' });
      }
    },
  };
}
