/** Finds the tool that a call names, as far as the caller's key may use it. */
import type { ToolIndex } from '../../search-index/tool-index.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { hubServerId } from '../../shapes/server.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import type { ConnectionPool } from '../../upstream/connection-pool.ts';
import type { AccessGuard } from './guard.ts';
import { findInScope, isInScope, isServerInScope, type ToolAddress } from './scope.ts';

/** Dependencies of {@link findCallableTool}. */
export interface ToolLookupDeps {
  pool: Pick<ConnectionPool, 'status'>;
  toolIndex: ToolIndex;
  skillTools: { find(namespace: string, toolName: string): unknown };
  guard: AccessGuard;
}

/**
 * The tool that a request names. A tool outside of the scope of the caller's key is answered as one that does not exist; the
 * attempt is recorded, for absent tools too, so that its duration does not reveal which exist.
 * @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, INVALID_REQUEST
 */
export async function findCallableTool(
  { pool, toolIndex, skillTools, guard }: ToolLookupDeps,
  caller: Caller,
  { serverId, toolName }: ToolAddress,
): Promise<ToolDefinition> {
  const found = findInScope(toolIndex, caller, { serverId, toolName });
  if (found?.inactiveSkill !== undefined) {
    throw new HestiaError('NOT_FOUND', 'the skill is not active; a search says how to activate it');
  }
  // An expired skill stays in the index until the next expiration run.
  if (found?.source === 'skill' && !skillTools.find(caller.namespace, toolName)) throw notFound('tool');
  if (found?.source === 'hub') {
    throw new HestiaError(
      'INVALID_REQUEST',
      `server_id: "${hubServerId}" offers this tool at its own MCP endpoint; call it there by its name`,
    );
  }
  if (found !== undefined) return found.definition;
  await guard.recordOutOfScope(caller, 'tool.call', { serverId, toolName });
  if (serverId === hubServerId) throw notFound('tool');
  const status = isServerInScope(caller.scope, serverId) ? pool.status(serverId) : undefined;
  if (status === undefined) throw notFound('server');
  const { state, errorType, reason } = status;
  if (errorType === 'login_required' && reason !== undefined) throw new HestiaError('LOGIN_REQUIRED', reason);
  if (state !== 'connected') throw new HestiaError('SERVER_UNAVAILABLE', `the server is ${state}; see its status`);
  throw notFound('tool');
}

/** The most servers that a message names. */
const serversNamedMax = 3;

/** The error of a call at the hub's own endpoint of a tool that it does not have. It says where upstream servers have it. */
export function unknownHubTool(toolIndex: ToolIndex, caller: Caller, toolName: string): HestiaError {
  const servers = toolIndex
    .list({})
    .filter(({ source, definition }) => source === 'upstream' && definition.toolName === toolName)
    .filter((tool) => isInScope(caller.scope, tool))
    .map(({ definition }) => definition.serverId);
  if (servers.length === 0) return notFound('tool');
  const ways = servers
    .slice(0, serversNamedMax)
    .map((id) => `server_id ${JSON.stringify(id)}, tool_name ${JSON.stringify(toolName)}, or connect to /mcp/${id}`);
  return new HestiaError(
    'NOT_FOUND',
    `no such tool at this endpoint; call it through call_mcp_tool with ${ways.join('; or with ')}`,
  );
}

/** The name of the skill that a call of this tool activates; undefined if it activates none. */
export function skillToActivate(toolIndex: ToolIndex, caller: Caller, address: ToolAddress): string | undefined {
  if (address.serverId !== hubServerId) return undefined;
  return findInScope(toolIndex, caller, address)?.inactiveSkill?.name;
}
