/**
 * Watches a list of an upstream server for changes, for the length of one session. Servers of the 2025 protocols send
 * change notifications unasked. Those of the 2026 protocol need a subscription, which is reopened when it ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SubscriptionFilter } from '@modelcontextprotocol/client';
import { createDebouncedQueue } from '../flow/debounced-queue.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import type { Session } from './session.ts';

/** Change notifications within this time lead to one refresh, in milliseconds. */
const debounceMs = 200;

/** A list to watch, and what to do when it changes. */
export interface ListWatch<List> {
  limits: Config['limits'];
  random: () => number;
  notification: 'notifications/tools/list_changed' | 'notifications/resources/list_changed';
  /** The subscription for these notifications; undefined where the server does not offer it. */
  filter: SubscriptionFilter | undefined;
  fetchFirst(): Promise<List>;
  /** Fetches the list again. Must not reject. */
  refresh(): Promise<void>;
  /** A subscription ended, which may be the first sign that the server is unavailable. */
  onSubscriptionEnded(): void;
}

/** Fetches the list, and watches it until the session ends. @throws the errors of `fetchFirst` */
export async function watchList<List>(session: Session, watch: ListWatch<List>): Promise<List> {
  const refreshes = createDebouncedQueue({ pauseMs: debounceMs, postponedMsMax: debounceMs, run: watch.refresh });
  const refreshSoon = () => refreshes.request(watch.notification);
  session.ended.addEventListener('abort', () => void refreshes[Symbol.asyncDispose]());
  session.client.setNotificationHandler(watch.notification, refreshSoon);
  const first = await watch.fetchFirst();
  if (session.era === 'modern' && watch.filter !== undefined) void subscribe(session, watch, watch.filter, refreshSoon);
  return first;
}

/** Keeps a subscription open. Each time it opens, the list is fetched, since it may have changed in between. */
async function subscribe(
  { client, ended }: Session,
  { limits, random, onSubscriptionEnded }: Omit<ListWatch<unknown>, 'fetchFirst'>,
  filter: SubscriptionFilter,
  onOpen: () => void,
): Promise<void> {
  let failures = 0;
  while (!ended.aborted) {
    const openedAt = performance.now();
    try {
      const subscription = await client.listen(filter, { timeout: limits.connectTimeoutMs });
      onOpen();
      await subscription.closed;
    } catch {
      // It was refused or not confirmed in time. It is retried after the delay below.
    }
    if (ended.aborted) return;
    failures = performance.now() - openedAt > limits.reconnectDelayMsMax ? 1 : failures + 1;
    onSubscriptionEnded();
    // The end of the session cuts the delay short and ends the loop.
    await delay(reconnectDelay(limits, failures, random), undefined, { ref: false, signal: ended }).catch(() => {});
  }
}
