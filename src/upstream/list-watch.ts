/**
 * Watches a list of an upstream server for changes, for the length of one session. At most one refresh is under way and one
 * waits, however often the list changes. Servers of the 2025 protocols send
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
  /** Fetches the list again. `isAnnounced` is true if the server has said that it changed. Must not reject. */
  refresh(isAnnounced: boolean): Promise<void>;
  /** A subscription ended, which may be the first sign that the server is unavailable. */
  onSubscriptionEnded(): void;
}

/** Fetches the list, and watches it until the session ends. @throws the errors of `fetchFirst` */
export async function watchList<List>(session: Session, watch: ListWatch<List>): Promise<List> {
  let isAnnounced = false;
  const refresh = () => {
    const wasAnnounced = isAnnounced;
    isAnnounced = false;
    return watch.refresh(wasAnnounced);
  };
  const run = () => refreshAndRest(session, refresh);
  const refreshes = createDebouncedQueue({ pauseMs: debounceMs, postponedMsMax: debounceMs, run });
  const refreshSoon = () => refreshes.request(watch.notification);
  session.ended.addEventListener('abort', () => void refreshes[Symbol.asyncDispose]());
  session.client.onNotification(watch.notification, () => {
    isAnnounced = true;
    refreshSoon();
  });
  const first = await watch.fetchFirst();
  const { filter } = watch;
  if (session.era === 'modern' && filter !== undefined) {
    void keepSubscribed(session, watch, { filter, onOpen: refreshSoon });
  }
  return first;
}

/** The length of the rest after a refresh, as a multiple of the refresh: a list that always changes takes a fifth of the time. */
const restFactor = 4;
const restMsMax = 60_000;

/** Refreshes the list. The next refresh waits until the rest is over. The end of the session cuts it short. */
async function refreshAndRest({ ended }: Session, refresh: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await refresh();
  const restMs = Math.min(restMsMax, restFactor * (performance.now() - startedAt));
  await delay(restMs, undefined, { ref: false, signal: ended }).catch(() => {});
}

/** A subscription of protocol 2026-07-28. */
export interface KeptSubscription {
  filter: SubscriptionFilter;
  /** Called each time it opens. What it reports may have changed in between. */
  onOpen: () => void;
  /** Ends it; otherwise it ends with the session. */
  ending?: AbortSignal;
}

/** Keeps a subscription open, and reopens it when it ends. Never throws. */
export async function keepSubscribed(
  session: Pick<Session, 'client' | 'ended'>,
  { limits, random, onSubscriptionEnded }: Pick<ListWatch<unknown>, 'limits' | 'random' | 'onSubscriptionEnded'>,
  { filter, onOpen, ending }: KeptSubscription,
): Promise<void> {
  const { client } = session;
  const ended = ending === undefined ? session.ended : AbortSignal.any([session.ended, ending]);
  let failures = 0;
  while (!ended.aborted) {
    const openedAt = performance.now();
    try {
      const subscription = await client.listen(filter, {
        timeout: limits.connectTimeoutMs,
        ...(ending && { signal: ending }),
      });
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
