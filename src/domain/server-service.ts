/** Lists, connects and disconnects upstream MCP servers on request of a caller. */
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import type { ServerStatus } from '../shapes/server.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import { checkPermission } from './access/policy.ts';
import type { AuditTrail } from './audit/trail.ts';

/** Manages upstream servers. Errors: NOT_FOUND, FORBIDDEN, STORAGE_FAILED. */
export interface ServerService {
  list(caller: Caller): Promise<ServerStatus[]>;
  /** Connects a server and returns its state after the first attempt. Idempotent. */
  connect(caller: Caller, serverId: string): Promise<ServerStatus>;
  /** Disconnects a server until it is connected again on request. Idempotent. */
  disconnect(caller: Caller, serverId: string): Promise<ServerStatus>;
}

/** Dependencies of the service. */
export interface ServerServiceDeps {
  pool: ConnectionPool;
  trail: AuditTrail;
  guard: AccessGuard;
}

/** Creates the service. */
export function createServerService({ pool, trail, guard }: ServerServiceDeps): ServerService {
  const change = async (caller: Caller, serverId: string, action: 'connect' | 'disconnect') => {
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
      return pool.list().map(withoutOutput);
    },
    connect: (caller, serverId) => change(caller, serverId, 'connect'),
    disconnect: (caller, serverId) => change(caller, serverId, 'disconnect'),
  };
}

/** The status without the output of the process, which may contain secrets of its configuration. */
function withoutOutput({ failure, ...status }: ServerStatus): ServerStatus {
  if (failure === undefined) return status;
  const { stderrLines: _, ...codes } = failure;
  return { ...status, failure: codes };
}
