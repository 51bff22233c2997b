/** Search and inspection of the tools, prompts and resources that a caller may see. */
import type { Span } from '@opentelemetry/api';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import { newId } from '../shapes/id.ts';
import type { ExplainedSearch, ShownTool } from '../shapes/search.ts';
import { offerUsage, type SearchAnswer, type SearchRequest, type ToolReference } from '../shapes/search-answer.ts';
import type { ServerStatus } from '../shapes/server.ts';
import { truncated } from '../shapes/text.ts';
import {
  type IndexedTool,
  type ListedTool,
  listedToolPosition,
  type ToolDefinition,
  type ToolFilter,
} from '../shapes/tool.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import { checkPermission } from './access/policy.ts';
import type { RateLimits } from './access/rate-limits.ts';
import { findInScope, isInScope, isNameInScope } from './access/scope.ts';
import { answerNotes } from './search/answer-notes.ts';
import { explanationFor, isMoved } from './search/explanation.ts';
import type { SearchLearning } from './search/learning.ts';
import { type MatchedTool, matchTools } from './search/match.ts';
import type { OutcomeMemory } from './search/outcome-memory.ts';
import { shownTool } from './search/ranking.ts';
import type { SkillTools } from './skill-tools.ts';

/** Search and inspection of tools. */
export interface ToolSearch {
  /** The best tools, prompts and resources for a need, as references without schemas by default. The list may be empty. */
  search(caller: Caller, request: SearchRequest): Promise<SearchAnswer>;
  /**
   * A page of all tools that the caller may see, also of those that are switched off, which match all given filters: by server and
   * name. Inactive skills are left out.
   */
  list(caller: Caller, page: ToolFilter & { after: string | undefined; limit: number }): Promise<ListedTool[]>;
  /** One tool with its schemas. @throws HestiaError NOT_FOUND */
  inspect(caller: Caller, address: { serverId: string; toolName: string }): Promise<IndexedTool>;
  /** A recorded search, with the reasons for the rank of each tool. @throws HestiaError NOT_FOUND, FORBIDDEN */
  explain(caller: Caller, searchId: string): Promise<ExplainedSearch>;
}

/** Dependencies of the tool search. */
export interface ToolSearchDeps {
  toolIndex: ToolIndex;
  /** The index of prompts and resources. */
  offerIndex: ToolIndex;
  /** The status of every configured server. */
  servers: () => readonly ServerStatus[];
  /** The tools that the configuration switches off. */
  disabledTools: () => readonly ToolDefinition[];
  skillTools: SkillTools;
  /** Whether a call activates a skill that is not active. */
  autoActivate: boolean;
  memory: OutcomeMemory;
  searchLearning: SearchLearning;
  guard: AccessGuard;
  rateLimits: Pick<RateLimits, 'countSearch'>;
  metrics: Metrics;
  now: () => number;
}

/** The longest description in a reference, in UTF-16 units. Inspection returns the complete one. */
const descriptionLengthMax = 300;

/** Creates the service. */
export function createToolSearch(deps: ToolSearchDeps): ToolSearch {
  const { toolIndex, skillTools, searchLearning, guard, metrics } = deps;
  return {
    search: async (caller, request) => {
      await guard.require(caller, 'tool.search');
      await deps.rateLimits.countSearch(caller);
      const source = request.source ?? 'all';
      const spanAttributes = { [attributes.searchSource]: source, [attributes.genAiAgentId]: caller.agentId };
      return timed(
        (seconds) => metrics.search(seconds, source),
        () =>
          inSpan(spanNames.toolSearch, { attributes: spanAttributes }, (span) => search(deps, caller, request, span)),
      );
    },
    list: async (caller, { after = '', limit, ...filter }) => {
      await guard.require(caller, 'tool.search');
      return listedTools(deps, caller)
        .filter((tool) => matches(tool, filter))
        .map((tool) => ({ tool, position: listedToolPosition(tool) }))
        .filter(({ position }) => position > after)
        .sort((left, right) => (left.position < right.position ? -1 : 1))
        .slice(0, limit)
        .map(({ tool }) => tool);
    },
    inspect: async (caller, { serverId, toolName }) => {
      await guard.require(caller, 'tool.search');
      const tool = findInScope(toolIndex, caller, { serverId, toolName });
      if (tool === undefined) await guard.recordOutOfScope(caller, 'tool.search', { serverId, toolName });
      if (tool === undefined || !isLive(skillTools, caller, tool)) throw notFound('tool');
      if (tool.inactiveSkill !== undefined && !deps.autoActivate) {
        const how = howToActivate(deps, caller, tool.inactiveSkill);
        throw new HestiaError('NOT_FOUND', `the skill is not active. ${how}`);
      }
      return tool;
    },
    explain: async (caller, searchId) => {
      const record = await searchLearning.find(searchId);
      const target = record && { kind: 'search', namespace: record.namespace, ownerAgentId: record.agentId };
      await guard.require(caller, 'search.read', target);
      if (record === undefined) throw notFound('search');
      // Another key of the same agent may have seen more.
      const visible = record.shown.filter(
        (tool) => caller.scope === undefined || isShownInScope(toolIndex, caller, tool),
      );
      const shown = visible.map((tool) => ({ ...tool, explanation: explanationFor(caller, tool.parts) }));
      return { ...record, shown };
    },
  };
}

function isShownInScope(toolIndex: ToolIndex, caller: Caller, { serverId, toolName, offer }: ShownTool): boolean {
  if (offer !== undefined) return isNameInScope(caller.scope, { serverId, toolName: offer.key });
  return findInScope(toolIndex, caller, { serverId, toolName }) !== undefined;
}

function listedTools(deps: ToolSearchDeps, caller: Caller): ListedTool[] {
  const found = deps.toolIndex
    .list({})
    .filter(
      ({ namespace, inactiveSkill }) =>
        inactiveSkill === undefined && (namespace ?? caller.namespace) === caller.namespace,
    )
    .filter((tool) => isInScope(caller.scope, tool) && isLive(deps.skillTools, caller, tool));
  const disabled = deps
    .disabledTools()
    .filter((definition) => isInScope(caller.scope, { source: 'upstream', definition }));
  return [
    ...found.flatMap(({ definition, source }) =>
      source === 'prompt' || source === 'resource' ? [] : [{ ...definition, source, enabled: true }],
    ),
    ...disabled.map((definition) => ({ ...definition, source: 'upstream' as const, enabled: false })),
  ];
}

function matches(tool: ListedTool, { serverId, source, state }: ToolFilter): boolean {
  return (
    (serverId === undefined || tool.serverId === serverId) &&
    (source === undefined || tool.source === source) &&
    (state === undefined || tool.enabled === (state === 'on'))
  );
}

async function search(deps: ToolSearchDeps, caller: Caller, request: SearchRequest, span: Span): Promise<SearchAnswer> {
  const searchedAt = deps.now();
  const { query, source, serverId } = request;
  const { keyId, agentId, namespace } = caller;
  const isUsable = (tool: IndexedTool) => isInScope(caller.scope, tool) && isLive(deps.skillTools, caller, tool);
  const { ranked, ...match } = await matchTools(
    { ...deps, ranking: (rank) => inSpan(spanNames.toolRank, {}, async () => rank()) },
    { query, source, serverId, namespace, isUsable, keyId, at: searchedAt },
  );
  const shown = ranked.slice(0, request.limit);
  const searchId = newId('srch');
  span.setAttribute(attributes.searchId, searchId);
  span.setAttribute(attributes.searchResults, shown.length);
  deps.searchLearning.record({
    ...match,
    searchId,
    keyId,
    agentId,
    namespace,
    query,
    source: source ?? 'all',
    shown: shown.map(shownTool),
    searchedAt,
  });
  deps.metrics.searchResultsShown(shown.map(({ parts }, at) => isMoved(parts, at + 1)));
  const results = shown.map((tool) => reference(deps, caller, tool, request));
  return { searchId, results, ...(await answerNotes(deps, caller, { request, results })) };
}

/** Excludes skills whose activation has expired, until the next expiration run makes them inactive. */
function isLive(skillTools: SkillTools, caller: Caller, { source, definition, inactiveSkill }: IndexedTool): boolean {
  return (
    source !== 'skill' ||
    inactiveSkill !== undefined ||
    skillTools.find(caller.namespace, definition.toolName) !== undefined
  );
}

/** How the caller can activate a skill of its namespace. */
function howToActivate(
  { autoActivate }: ToolSearchDeps,
  caller: Caller,
  { name, ownerAgentId }: { name: string; ownerAgentId: string },
): string {
  if (autoActivate) return 'Calling the tool activates the skill.';
  return checkPermission(caller, 'skill.manage', { namespace: caller.namespace, ownerAgentId }) === 'allowed'
    ? `Activate it with activate_skill, skill_name "${name}", or POST /v1/skills/${name}/activate.`
    : 'Its owner or an operator can activate it.';
}

function reference(
  deps: ToolSearchDeps,
  caller: Caller,
  { tool, score, parts, isWeak }: MatchedTool,
  { includeSchemas, explain }: SearchRequest,
): ToolReference {
  const { source, definition, inactiveSkill, offer } = tool;
  return {
    serverId: definition.serverId,
    toolName: definition.toolName,
    source,
    description: truncated(definition.description, descriptionLengthMax),
    score: Math.round(score * 10_000) / 10_000,
    ...(isWeak && { weakMatch: true }),
    ...(inactiveSkill && { active: false, activation: howToActivate(deps, caller, inactiveSkill) }),
    ...(offer && offerFields(definition.serverId, offer)),
    ...(includeSchemas && { inputSchema: definition.inputSchema }),
    ...(explain && { explanation: explanationFor(caller, parts) }),
  };
}

function offerFields(serverId: string, offer: NonNullable<IndexedTool['offer']>): Partial<ToolReference> {
  const { kind, key, mimeType } = offer;
  return {
    ...(kind === 'resources' && { uri: key }),
    ...(kind === 'templates' && { uriTemplate: key }),
    ...(mimeType !== undefined && { mimeType }),
    usage: offerUsage(offer, ` at /mcp/${encodeURIComponent(serverId)}`),
  };
}
