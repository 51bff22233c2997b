/**
 * Fetches the tool list of one session, at its start and after each change notification. Servers of the 2025
 * protocols send these unasked. Those of the 2026 protocol need a subscription, which is reopened when it ends.
 */
import type { Config } from '../shapes/configuration/config.ts';
import { watchList } from './list-watch.ts';
import type { UpstreamLog } from './log.ts';
import type { Session } from './session.ts';
import { fetchToolList, type ToolList } from './tool-list.ts';

/** Dependencies of a watch. */
export interface ToolWatchDeps {
  serverId: string;
  session: Session;
  limits: Config['limits'];
  log: UpstreamLog;
  random: () => number;
  /**
   * Receives each further list, and whether the server has said that it changed. Resolves when the list has been published. No
   * other list is fetched before.
   */
  onList(list: ToolList, isAnnounced: boolean): Promise<void>;
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
  const refresh = async (isAnnounced: boolean) => {
    try {
      const list = await fetchList(deps);
      if (!session.ended.aborted) await deps.onList(list, isAnnounced);
    } catch (error) {
      if (!session.ended.aborted) deps.onListFailed(error);
    }
  };
  return watchList(session, {
    ...deps,
    notification: 'notifications/tools/list_changed',
    filter: client.getServerCapabilities()?.tools?.listChanged === true ? { toolsListChanged: true } : undefined,
    fetchFirst: () => fetchList(deps),
    refresh,
  });
}

function fetchList({ serverId, session, limits, log }: ToolWatchDeps): Promise<ToolList> {
  return fetchToolList({
    serverId,
    client: session.client,
    mirrorsArguments: session.mirrorsArguments,
    toolsMax: limits.toolsPerServerMax,
    toolLengthMax: limits.toolLengthMax,
    listLengthMax: limits.toolsLengthPerServerMax,
    timeoutMs: limits.connectTimeoutMs,
    log,
  });
}
