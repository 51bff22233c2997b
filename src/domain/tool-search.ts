/** Finding tools by describing the need: active skills, the hub's own tools and upstream tools, as the caller may see them. */
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import { newId } from '../shapes/id.ts';
import { truncated } from '../shapes/text.ts';
import type { IndexedTool, SearchAnswer, SearchRequest, ToolReference } from '../shapes/tool.ts';
import type { ToolIndex } from '../stores/tool-index.ts';
import { timed } from '../telemetry/duration.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access-guard.ts';
import type { SkillTools } from './skill-tools.ts';
import { rankTools } from './tool-ranking.ts';

/** Search and inspection of tools. */
export interface ToolSearch {
  /** The best tools for a need, as light references; an empty answer is an answer. */
  search(caller: Caller, request: SearchRequest): Promise<SearchAnswer>;
  /** One tool with its schemas. @throws HestiaError NOT_FOUND */
  inspect(caller: Caller, address: { serverId: string; toolName: string }): Promise<IndexedTool>;
}

/** What search is made of. */
export interface ToolSearchDeps {
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  guard: AccessGuard;
  metrics: Metrics;
}

/** Candidates that ranking sees for each result asked for, so that it has something to choose from. */
const candidatesPerResult = 5;
/** Longest description in a reference, in UTF-16 units; the whole is had by inspection. */
const descriptionLengthMax = 300;

/** Makes the service. */
export function createToolSearch({ toolIndex, skillTools, guard, metrics }: ToolSearchDeps): ToolSearch {
  return {
    search: async (caller, request) => {
      await guard.require(caller, 'tool.search');
      const source = request.source ?? 'all';
      const spanAttributes = { [attributes.searchSource]: source, [attributes.genAiAgentId]: caller.agentId };
      return timed(
        (seconds) => metrics.search(seconds, source),
        () =>
          inSpan(spanNames.toolSearch, { attributes: spanAttributes }, async (span) => {
            const { found } = await toolIndex.search({
              query: request.query,
              limit: request.limit * candidatesPerResult,
              namespace: caller.namespace,
              source: request.source,
              isUsable: (tool) => isLive(skillTools, caller, tool),
            });
            const ranked = await inSpan(spanNames.toolRank, {}, async () =>
              rankTools(found.map(({ tool, score }) => ({ tool, textScore: score }))).slice(0, request.limit),
            );
            const searchId = newId('srch');
            span.setAttribute(attributes.searchId, searchId);
            span.setAttribute(attributes.searchResults, ranked.length);
            return {
              searchId,
              results: ranked.map(({ tool, score }) => reference(tool, score, request.includeSchemas)),
            };
          }),
      );
    },
    inspect: async (caller, { serverId, toolName }) => {
      await guard.require(caller, 'tool.search');
      const tool = toolIndex.find({ serverId, toolName, namespace: caller.namespace });
      if (tool === undefined || !isLive(skillTools, caller, tool)) throw notFound('tool');
      return tool;
    },
  };
}

/** The index keeps a skill whose time is over until the sweep; nobody is shown it. */
function isLive(skillTools: SkillTools, caller: Caller, { source, definition }: IndexedTool): boolean {
  return source !== 'skill' || skillTools.find(caller.namespace, definition.toolName) !== undefined;
}

function reference({ source, definition }: IndexedTool, score: number, withSchema: boolean): ToolReference {
  return {
    serverId: definition.serverId,
    toolName: definition.toolName,
    source,
    description: truncated(definition.description, descriptionLengthMax),
    score: Math.round(score * 10_000) / 10_000,
    ...(withSchema && { inputSchema: definition.inputSchema }),
  };
}
