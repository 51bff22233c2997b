/**
 * The adapter between the replay and the hub's search and learning.
 * It calls the same functions as the hub, without HTTP or MCP.
 */
import { createSearchLog } from '../../src/domain/search/log.ts';
import { matchTools } from '../../src/domain/search/match.ts';
import { createOutcomeMemory } from '../../src/domain/search/outcome-memory.ts';
import { shownTool } from '../../src/domain/search/ranking.ts';
import type { ToolIndex } from '../../src/search-index/tool-index.ts';
import type { Outcome } from '../../src/shapes/event.ts';
import type { JsonObject } from '../../src/shapes/json.ts';
import type { IndexedTool } from '../../src/shapes/tool.ts';
import { createEvalIndex, type EvalScoring } from './eval-index.ts';

/** A tool of the data set. */
export interface EvalTool {
  id: string;
  server: string;
  name: string;
  description?: string;
  input_schema?: JsonObject;
}

/** A search of the replay; `now` is Unix milliseconds. */
export interface ReplaySearch {
  agentId: string;
  k: number;
  now: number;
}

/** The outcome of a call in the replay. */
export interface ReplayOutcome {
  agentId: string;
  query: string;
  toolId: string;
  outcome: Outcome;
  latencyMs: number;
  shown: readonly string[];
  now: number;
}

/** The interface that the replay requires. */
export interface RankerAdapter {
  search(query: string, search: ReplaySearch): Promise<{ id: string; score: number }[]>;
  record(outcome: ReplayOutcome): void;
}

/** The tools of the replay, and how they are found. */
export interface AdapterOptions {
  tools: readonly EvalTool[];
  scoring?: EvalScoring;
}

const namespace = 'default';

/** Creates a search over the tools with an empty outcome memory. An agent of the replay is a key of the hub. */
export function createAdapter({ tools, scoring = 'static' }: AdapterOptions): RankerAdapter {
  const memory = createOutcomeMemory();
  const searchLog = createSearchLog();
  const indexed = indexedTools(tools);
  const indexing = createEvalIndex(indexed.servers, scoring).then(withCachedSearches);
  let count = 0;
  return {
    search: async (query, { agentId, k, now }) => {
      const toolIndex = await indexing;
      const found = await matchTools({ toolIndex, memory }, { query, namespace, keyId: agentId, at: now });
      const shown = found.ranked.slice(0, k);
      count += 1;
      searchLog.add({
        searchId: `srch_${count}`,
        keyId: agentId,
        agentId,
        namespace,
        query,
        queryKey: found.queryKey,
        source: 'all',
        scoring: found.scoring,
        shown: shown.map(shownTool),
        searchedAt: now,
      });
      return shown.map(({ tool, score }) => ({ id: indexed.idOf(tool), score }));
    },
    record: ({ agentId, toolId, outcome, latencyMs, now }) => {
      const { serverId, toolName } = indexed.definitionOf(toolId);
      const call = { callId: `call_${count}`, serverId, toolName, agentId, namespace, keyId: agentId };
      const credit = searchLog.credit({ ...call, outcome, latencyMs, recordedAt: now });
      if (credit !== undefined) memory.learn(credit.lesson);
    },
  };
}

/** The replay repeats its queries, and the index of a replay never changes: each query is matched once. */
function withCachedSearches(index: ToolIndex): ToolIndex {
  const cached = new Map<string, ReturnType<ToolIndex['search']>>();
  return {
    ...index,
    search: (query) => {
      const found = cached.get(query.query) ?? index.search(query);
      cached.set(query.query, found);
      return found;
    },
  };
}

/** The data set's tools in the form of the index, by server, with a mapping to their ids. */
export function indexedTools(tools: readonly EvalTool[]) {
  const servers = new Map<string, IndexedTool[]>();
  const ids = new Map<IndexedTool, string>();
  const byId = new Map<string, IndexedTool>();
  for (const tool of tools) {
    const indexed = indexedTool(tool);
    const ofServer = servers.get(tool.server) ?? [];
    ofServer.push(indexed);
    servers.set(tool.server, ofServer);
    ids.set(indexed, tool.id);
    byId.set(tool.id, indexed);
  }
  return {
    servers,
    idOf: (tool: IndexedTool): string => ids.get(tool) ?? 'unknown',
    definitionOf: (id: string) => byId.get(id)?.definition ?? { serverId: 'unknown', toolName: id },
  };
}

function indexedTool({ server, name, description = '', input_schema = {} }: EvalTool): IndexedTool {
  return {
    source: 'upstream',
    namespace: undefined,
    definition: {
      serverId: server,
      toolName: name,
      title: undefined,
      description,
      inputSchema: input_schema,
      outputSchema: undefined,
      annotations: undefined,
    },
  };
}
