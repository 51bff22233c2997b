/** Notes of a search answer: missing servers, why nothing fits, tools that the caller may not use. */
import type { ToolIndex } from '../../search-index/tool-index.ts';
import type { Caller } from '../../shapes/access.ts';
import type { SearchAnswer, SearchReason, SearchRequest } from '../../shapes/search-answer.ts';
import { hubServerId, type ServerStatus } from '../../shapes/server.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import { checkPermission } from '../access/policy.ts';
import { isInScope, isServerInScope } from '../access/scope.ts';
import { relatedMatches } from './match-strength.ts';
import { candidatesMax } from './ranking-constants.ts';

/** The most servers that an answer names, of each state. */
const serversNamedMax = 50;
/** The most other namespaces whose matches are counted. */
const namespacesCountedMax = 10;

/** Dependencies of the notes. */
export interface AnswerNotesDeps {
  toolIndex: ToolIndex;
  offerIndex: ToolIndex;
  servers: () => readonly ServerStatus[];
}

/** The notes to the results of a search. Fields that say nothing are left out. */
export async function answerNotes(
  deps: AnswerNotesDeps,
  caller: Caller,
  { request, results }: { request: SearchRequest; results: SearchAnswer['results'] },
): Promise<Omit<SearchAnswer, 'searchId' | 'results'>> {
  const known = deps.servers().filter(({ serverId }) => isServerInScope(caller.scope, serverId));
  const servers = serversConcerned(known, request);
  const connecting = idsOf(servers, ({ state }) => state === 'connecting');
  const unavailable = idsOf(servers, ({ state }) => state !== 'connected' && state !== 'connecting');
  const reasons: SearchReason[] = results.every(({ weakMatch }) => weakMatch === true)
    ? [
        results.length > 0 ? 'weak_matches' : hasTools(deps, caller, request) ? 'no_match' : 'no_tools',
        ...(connecting.length > 0 ? (['servers_connecting'] as const) : []),
        ...(unavailable.length > 0 ? (['servers_unavailable'] as const) : []),
      ]
    : [];
  const filteredCount = await countFiltered(deps, caller, request);
  return {
    ...(reasons.length > 0 && { reasons }),
    ...(connecting.length > 0 && { serversConnecting: connecting.slice(0, serversNamedMax) }),
    ...(unavailable.length > 0 && { serversUnavailable: unavailable.slice(0, serversNamedMax) }),
    ...(filteredCount > 0 && { filteredCount }),
  };
}

/** The servers whose tools the request could have found. */
function serversConcerned(
  servers: readonly ServerStatus[],
  { serverId, source }: SearchRequest,
): readonly ServerStatus[] {
  if (source === 'skill' || source === 'hub') return [];
  return serverId === undefined ? servers : servers.filter((server) => server.serverId === serverId);
}

function idsOf(servers: readonly ServerStatus[], isWanted: (server: ServerStatus) => boolean): string[] {
  return servers.filter(isWanted).map(({ serverId }) => serverId);
}

function hasTools(
  { toolIndex, offerIndex }: AnswerNotesDeps,
  { namespace, scope }: Caller,
  { source, serverId }: SearchRequest,
): boolean {
  const filter = { namespace, source, serverId, isUsable: (tool: IndexedTool) => isInScope(scope, tool) };
  return toolIndex.some(filter) || offerIndex.some(filter);
}

/** The skills of other namespaces that match, for callers who may know of them; 0 for all others. */
async function countFiltered(
  { toolIndex }: AnswerNotesDeps,
  caller: Caller,
  { query, source, serverId }: SearchRequest,
): Promise<number> {
  const mayKnow = checkPermission(caller, 'audit.read') === 'allowed';
  const hasSkills = (source ?? 'skill') === 'skill' && (serverId ?? hubServerId) === hubServerId;
  if (!mayKnow || !hasSkills) return 0;
  const namespaces = new Set(toolIndex.list({ serverId: hubServerId }).map(({ namespace }) => namespace));
  const others = [...namespaces].filter((one) => one !== undefined && one !== caller.namespace);
  const counts = others.slice(0, namespacesCountedMax).map(async (namespace = '') => {
    const isUsable = (tool: { namespace: string | undefined }) => tool.namespace === namespace;
    const { found } = await toolIndex.search({ query, namespace, isUsable, source: 'skill', limit: candidatesMax });
    return relatedMatches(found, toolIndex.count(namespace)).length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
