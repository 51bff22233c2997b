/**
 * Fetches the skills of one session in the background, at its start and after each change notification. A server that
 * fails to list its skills keeps its tools and its connection.
 */
import { callFailure } from '../call-failure.ts';
import { type ListWatch, watchList } from '../list-watch.ts';
import { fetchSkillList, type SkillListDeps, servesSkills, type UpstreamSkillList } from './list.ts';

/** Dependencies of a watch. */
export interface SkillWatchDeps
  extends Omit<SkillListDeps, 'timeoutMs'>,
    Pick<ListWatch<void>, 'limits' | 'random' | 'onSubscriptionEnded'> {
  /** If unset: skills are not watched. May return a promise: no other list is fetched before it has settled. */
  onList: ((list: UpstreamSkillList) => unknown) | undefined;
}

/** Starts the watch, if the server declares the Skills extension. Ends with the session. Never throws. */
export async function watchSkills(deps: SkillWatchDeps): Promise<void> {
  const { session, serverId, log, onList } = deps;
  if (onList === undefined || !servesSkills(session)) return;
  const refresh = async () => {
    try {
      const list = await fetchSkillList({ ...deps, timeoutMs: deps.limits.connectTimeoutMs });
      if (!session.ended.aborted) await onList(list);
    } catch (error) {
      if (session.ended.aborted) return;
      const { errorType, jsonRpcCode } = callFailure(error, session.era === 'modern');
      const fields = { server_id: serverId, error_type: errorType, json_rpc_code: jsonRpcCode };
      log.warn('The skills of an upstream server could not be listed', fields);
    }
  };
  const hasListChanges = session.client.getServerCapabilities()?.resources?.listChanged === true;
  await watchList(session, {
    ...deps,
    notification: 'notifications/resources/list_changed',
    filter: hasListChanges ? { resourcesListChanged: true } : undefined,
    fetchFirst: refresh,
    refresh,
  });
}
