/**
 * Fetches the tool list of one session, at its start and after each change notification. Servers of the 2025
 * protocols send these unasked. Those of the 2026 protocol need a subscription, which is reopened when it ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createDebouncedQueue } from '../flow/debounced-queue.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { UpstreamLog } from './log.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import type { Session } from './session.ts';
import { fetchToolList, type ToolList } from './tool-list.ts';

/** Change notifications within this time lead to one fetch, in milliseconds. */
const debounceMs = 200;

/** Dependencies of a watch. */
export interface ToolWatchDeps {
  serverId: string;
  session: Session;
  limits: Config['limits'];
  log: UpstreamLog;
  random: () => number;
  onList(list: ToolList): void;
  onListFailed(error: unknown): void;
  /** A subscription ended, which may be the first sign that the server is unavailable. */
  onSubscriptionEnded(): void;
}

/**
 * Fetches the list, and watches it for changes until the session ends.
 * @throws the errors of {@link fetchToolList}, for the first list.
 */
export async function watchTools(deps: ToolWatchDeps): Promise<ToolList> {
  const { session } = deps;
  const { client } = session;
  const refresh = async () => {
    try {
      const list = await fetchList(deps);
      if (!session.ended.aborted) deps.onList(list);
    } catch (error) {
      if (!session.ended.aborted) deps.onListFailed(error);
    }
  };
  const refreshes = createDebouncedQueue({ pauseMs: debounceMs, postponedMsMax: debounceMs, run: refresh });
  const refreshSoon = () => refreshes.request(deps.serverId);
  session.ended.addEventListener('abort', () => void refreshes[Symbol.asyncDispose]());
  client.setNotificationHandler('notifications/tools/list_changed', refreshSoon);
  const first = await fetchList(deps);
  if (session.era === 'modern' && client.getServerCapabilities()?.tools?.listChanged === true) {
    void subscribe(deps, refreshSoon);
  }
  return first;
}

function fetchList({ serverId, session, limits, log }: ToolWatchDeps): Promise<ToolList> {
  return fetchToolList({
    serverId,
    client: session.client,
    toolsMax: limits.toolsPerServerMax,
    timeoutMs: limits.connectTimeoutMs,
    log,
  });
}

/** Keeps a subscription open. Each time it opens, the list is fetched, since it may have changed in between. */
async function subscribe(
  { session, limits, random, onSubscriptionEnded }: ToolWatchDeps,
  onOpen: () => void,
): Promise<void> {
  const { client, ended } = session;
  let failures = 0;
  while (!ended.aborted) {
    const openedAt = performance.now();
    try {
      const subscription = await client.listen({ toolsListChanged: true }, { timeout: limits.connectTimeoutMs });
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
