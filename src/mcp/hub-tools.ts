/** The tools at the MCP endpoint: the hub's meta-tools, and the tools of the caller's active skills. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { SkillTools } from '../domain/skill-tools.ts';
import type { ToolCall } from '../domain/tool-call.ts';
import type { Caller } from '../shapes/access.ts';
import { jsonObjectSchema } from '../shapes/json.ts';
import { hubServerId } from '../shapes/server.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import type { Log } from '../telemetry/log.ts';
import type { MetaTool, ToolInvocation } from './meta-tools.ts';
import { passedThrough } from './passed-result.ts';
import { listPage } from './request/list-page.ts';
import { failedResult, invalidArguments } from './tool-result.ts';

/** Lists and calls the tools of the endpoint. */
export interface HubTools {
  /** A page of the tools: the meta-tools, then those of skills by name. @throws HestiaError INVALID_ARGUMENTS for a cursor */
  list(caller: Caller, cursor: string | undefined): { tools: ToolDefinition[]; nextCursor: string | undefined };
  isKnown(caller: Caller, toolName: string): boolean;
  /**
   * The result of the tool, with `isError` where it failed.
   * @throws HestiaError NOT_FOUND for a name that is not listed; ABANDONED, INTERNAL
   */
  call(params: { name: string; arguments?: unknown }, invocation: ToolInvocation): Promise<CallToolResult>;
}

/** Dependencies of the hub tools. */
export interface HubToolsDeps {
  metaTools: readonly MetaTool[];
  skillTools: SkillTools;
  toolCall: ToolCall;
  log: Log;
}

/** Creates the tools of the endpoint. */
export function createHubTools(deps: HubToolsDeps): HubTools {
  const { metaTools, skillTools, toolCall } = deps;
  const byName = new Map(metaTools.map((tool) => [tool.definition.toolName, tool]));
  const isOffered = (caller: Caller, { definition }: MetaTool) =>
    toolCall.isInScope(caller, { source: 'hub', definition });
  const metaToolOf = (caller: Caller, name: string) => {
    const tool = byName.get(name);
    return tool !== undefined && isOffered(caller, tool) ? tool : undefined;
  };
  return {
    list: (caller, cursor) => {
      const offered = [
        ...metaTools.filter((tool) => isOffered(caller, tool)),
        ...skillTools
          .list(caller.namespace)
          .filter(({ definition }) => toolCall.isInScope(caller, { source: 'skill', definition })),
      ];
      const definitions = offered.map(({ definition }) => definition);
      const { items: tools, nextCursor } = listPage(definitions, { nameOf: ({ toolName }) => toolName, cursor });
      return { tools, nextCursor };
    },
    isKnown: (caller, name) => metaToolOf(caller, name) !== undefined || toolCall.hasSkillTool(caller, name),
    call: async (params, invocation) => {
      const { caller } = invocation;
      const tool = metaToolOf(caller, params.name);
      if (tool === undefined && !toolCall.hasSkillTool(caller, params.name)) {
        return toolCall.refuseUnknown(caller, params.name);
      }
      try {
        return await (tool ? tool.call(params.arguments, invocation) : callSkillTool(deps, params, invocation));
      } catch (error) {
        return failedResult(error, deps.log);
      }
    },
  };
}

async function callSkillTool(
  { toolCall }: HubToolsDeps,
  params: { name: string; arguments?: unknown },
  { caller, signal, onProgress, protocolVersion }: ToolInvocation,
): Promise<CallToolResult> {
  const args = jsonObjectSchema.safeParse(params.arguments ?? {});
  if (!args.success) throw invalidArguments(args.error);
  const request = {
    serverId: hubServerId,
    toolName: params.name,
    arguments: args.data,
    timeoutMs: undefined,
    searchId: undefined,
  };
  const { result } = await toolCall.call(caller, request, { signal, onProgress });
  return passedThrough(result, protocolVersion);
}
