/**
 * Follows the tool list of one session: at its start, and whenever the server says that it changed. The 2025 protocols
 * say so unasked; the 2026 protocol on a subscription, which is opened again when it ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { reconnectDelay } from '../flow/backoff.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { UpstreamLog } from './log.ts';
import type { Session } from './session.ts';
import { fetchToolList, type ToolList } from './tool-list.ts';

/** Announcements that come within this time lead to one fetch, in milliseconds. */
const gatherMs = 200;

/** What a watch is made of. */
export interface ToolWatchDeps {
  serverId: string;
  session: Session;
  limits: Config['limits'];
  log: UpstreamLog;
  random: () => number;
  onList(list: ToolList): void;
  onListFailed(error: unknown): void;
  /** A subscription ended, which is how a server that went away may show first. */
  onTrouble(): void;
}

/**
 * Fetches the list and begins to follow it, until the session ends.
 * @throws what fetching the first list throws.
 */
export async function watchTools(deps: ToolWatchDeps): Promise<ToolList> {
  const { session } = deps;
  const { client } = session;
  let fetching = Promise.resolve();
  let gathering: NodeJS.Timeout | undefined;
  const refresh = async () => {
    gathering = undefined;
    try {
      const list = await fetchList(deps);
      if (!session.ended.aborted) deps.onList(list);
    } catch (error) {
      if (!session.ended.aborted) deps.onListFailed(error);
    }
  };
  const refreshSoon = () => {
    gathering ??= setTimeout(() => {
      fetching = fetching.then(refresh);
    }, gatherMs).unref();
  };
  session.ended.addEventListener('abort', () => clearTimeout(gathering));
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

/** Keeps a subscription open. Each time it opens the list is fetched again, for what changed while it was not. */
async function subscribe({ session, limits, random, onTrouble }: ToolWatchDeps, onOpen: () => void): Promise<void> {
  const { client, ended } = session;
  let failures = 0;
  while (!ended.aborted) {
    const openedAt = performance.now();
    try {
      const subscription = await client.listen({ toolsListChanged: true }, { timeout: limits.connectTimeoutMs });
      onOpen();
      await subscription.closed;
    } catch {
      // It was refused or never confirmed; the wait below is the answer to that.
    }
    if (ended.aborted) return;
    failures = performance.now() - openedAt > limits.reconnectDelayMsMax ? 1 : failures + 1;
    onTrouble();
    // The wait ends early with the session, and the loop with it.
    await delay(reconnectDelay(limits, failures, random), undefined, { ref: false, signal: ended }).catch(() => {});
  }
}
