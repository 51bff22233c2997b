/** Lists, adds, changes, removes, connects and disconnects upstream MCP servers on request of a caller. */
import { z } from 'zod';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { readEntry } from '../shapes/configuration/servers/read-servers.ts';
import type { EntrySurroundings } from '../shapes/configuration/servers/surroundings.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import { type JsonObject, mergePatch } from '../shapes/json.ts';
import type { ServerStatus } from '../shapes/server.ts';
import type { ServersFile } from '../stores/server/servers-file.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import { checkPermission } from './access/policy.ts';
import { isInScope, isServerInScope } from './access/scope.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { ServerLogins } from './login/server-logins.ts';
import type { ServerRegistry } from './server/registry.ts';

/** Manages upstream servers. Errors: NOT_FOUND, FORBIDDEN, CONFLICT, INVALID_REQUEST, STORAGE_FAILED. */
export interface ServerService extends ServerLogins {
  list(caller: Caller): Promise<ServerStatus[]>;
  /** Adds a server to the configuration file, and connects it in the background unless its entry says not to. */
  add(caller: Caller, server: { serverId: string; configuration: JsonObject }): Promise<ServerStatus>;
  /** Changes keys of an entry of the configuration file by a merge patch (RFC 7396), and connects the server anew. */
  change(caller: Caller, server: { serverId: string; configuration: JsonObject }): Promise<ServerStatus>;
  /** Removes a server from the configuration file and disconnects it. */
  remove(caller: Caller, serverId: string): Promise<void>;
  /** Switches a tool of a server on or off, in the configuration file. The server stays connected. */
  setTool(caller: Caller, tool: { serverId: string; toolName: string; enabled: boolean }): Promise<void>;
  /** Connects a server and returns its state after the first attempt. Idempotent. */
  connect(caller: Caller, serverId: string): Promise<ServerStatus>;
  /** Disconnects a server until it is connected again on request. Idempotent. */
  disconnect(caller: Caller, serverId: string): Promise<ServerStatus>;
}

/** Dependencies of the service. */
export interface ServerServiceDeps {
  pool: ConnectionPool;
  toolIndex: ToolIndex;
  trail: AuditTrail;
  guard: AccessGuard;
  /** Absent where the hub has no configuration file. */
  editing: ServerEditing | undefined;
  logins: ServerLogins;
}

/** What changes of entries need. */
export interface ServerEditing {
  registry: ServerRegistry;
  file: ServersFile;
  surroundings: Omit<EntrySurroundings, 'inputs'>;
}

/** Creates the service. */
export function createServerService(deps: ServerServiceDeps): ServerService {
  const { pool, toolIndex, trail, guard } = deps;
  const request = async (caller: Caller, serverId: string, action: 'connect' | 'disconnect') => {
    await guard.require(caller, 'server.manage');
    const connection = pool.find(serverId);
    const status = pool.status(serverId);
    if (status === undefined) throw notFound('server');
    // There is nothing to connect; the status says what to write.
    if (connection === undefined) return status;
    const name = action === 'connect' ? 'SERVER_CONNECT_REQUESTED' : 'SERVER_DISCONNECT_REQUESTED';
    return inSpan(`server.${action}`, { attributes: { [attributes.serverId]: serverId } }, async (span) => {
      const fields = { server_id: serverId, agent_id: caller.agentId, namespace: caller.namespace };
      await trail.commit({ event: { kind: 'change', name, fields }, by: caller, span }, async () => undefined);
      await connection[action]();
      return connection.status();
    });
  };
  return {
    list: async (caller) => {
      await guard.require(caller, 'server.read');
      if (checkPermission(caller, 'server.manage') === 'allowed') return pool.list();
      const { scope } = caller;
      const visible = pool.list().filter(({ serverId }) => isServerInScope(scope, serverId));
      if (scope === undefined) return visible.map(withoutOutput);
      const toolsCount = (serverId: string) =>
        toolIndex.list({ serverId }).filter((tool) => isInScope(scope, tool)).length;
      return visible.map((status) => ({
        ...withoutOutput(status),
        toolsCount: toolsCount(status.serverId),
        toolsRefusedCount: 0,
      }));
    },
    ...serverEdits(deps),
    ...deps.logins,
    connect: (caller, serverId) => request(caller, serverId, 'connect'),
    disconnect: (caller, serverId) => request(caller, serverId, 'disconnect'),
  };
}

/** The methods that change the configuration file. */
function serverEdits(deps: ServerServiceDeps): Pick<ServerService, 'add' | 'change' | 'remove' | 'setTool'> {
  const { pool, guard } = deps;
  return {
    add: async (caller, { serverId, configuration }) => {
      await guard.require(caller, 'server.manage');
      const editing = requireEditing(deps);
      if (pool.status(serverId) !== undefined) throw new HestiaError('CONFLICT', 'a server of this name exists');
      return write(deps, caller, editing, { serverId, entry: configuration });
    },
    change: async (caller, { serverId, configuration }) => {
      await guard.require(caller, 'server.manage');
      const editing = requireEditing(deps);
      const entry = editing.file.entry(serverId);
      if (entry === undefined) throw notFound('server');
      return write(deps, caller, editing, { serverId, entry: mergePatch(entry, configuration) });
    },
    remove: async (caller, serverId) => {
      await guard.require(caller, 'server.manage');
      const { registry, file } = requireEditing(deps);
      if (file.entry(serverId) === undefined) throw notFound('server');
      await registry.write(caller, { serverId, entry: undefined });
    },
    setTool: async (caller, tool) => {
      await guard.require(caller, 'server.manage');
      const { registry, file } = requireEditing(deps);
      const { serverId, toolName, enabled } = tool;
      const entry = file.entry(serverId);
      const isListed =
        pool
          .find(serverId)
          ?.tools()
          .some((listed) => listed.toolName === toolName) ?? false;
      if (entry === undefined || !(isListed || pool.isDisabled(tool))) throw notFound('tool');
      if (pool.isDisabled(tool) !== enabled) return;
      await registry.write(caller, {
        serverId,
        entry: withTool(entry, toolName, enabled),
        tool: { toolName, enabled },
      });
    },
  };
}

/** The entry with the tool switched on or off, under the key that it uses. */
function withTool(entry: JsonObject, toolName: string, enabled: boolean): JsonObject {
  const key = ['disabledTools', 'disabled_tools', 'excludeTools'].find((name) => entry[name] !== undefined);
  const before = z
    .array(z.string())
    .catch([])
    .parse(entry[key ?? 'disabledTools']);
  const others = before.filter((name) => name !== toolName);
  const disabled = enabled ? others : [...others, toolName];
  return mergePatch(entry, { [key ?? 'disabledTools']: disabled.length === 0 ? null : disabled });
}

function requireEditing({ editing }: ServerServiceDeps): ServerEditing {
  if (editing !== undefined) return editing;
  throw new HestiaError('CONFLICT', 'this hub has no configuration file to change');
}

/** Writes an entry that can be used. @throws HestiaError INVALID_REQUEST that says what to write instead */
async function write(
  { pool }: ServerServiceDeps,
  caller: Caller,
  { registry, surroundings }: ServerEditing,
  { serverId, entry }: { serverId: string; entry: JsonObject },
): Promise<ServerStatus> {
  const read = readEntry({ id: serverId, value: entry }, { ...surroundings, inputs: [] });
  if ('problem' in read) {
    const field = ['configuration', ...read.problem.path].join('.');
    const violations = [{ field, message: read.problem.text }];
    throw new HestiaError('INVALID_REQUEST', `${field}: ${read.problem.text}`, { violations });
  }
  await registry.write(caller, { serverId, entry });
  const status = pool.status(serverId);
  if (status === undefined) throw notFound('server');
  return status;
}

/** The status without the output of the process, which may contain secrets of its configuration. */
function withoutOutput({ failure, ...status }: ServerStatus): ServerStatus {
  if (failure === undefined) return status;
  const { stderrLines: _, ...codes } = failure;
  return { ...status, failure: codes };
}
