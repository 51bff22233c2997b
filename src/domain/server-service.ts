/** Upstream servers as callers see and steer them: list, connect, disconnect. */
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import type { ServerStatus } from '../shapes/server.ts';
import { attributes } from '../telemetry/names.ts';
import { inSpan } from '../telemetry/span.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';

/** The servers. Errors: NOT_FOUND, FORBIDDEN, STORAGE_FAILED. */
export interface ServerService {
  list(caller: Caller): Promise<ServerStatus[]>;
  /** Connects, and answers the state after the first attempt; connecting twice is the same as once. */
  connect(caller: Caller, serverId: string): Promise<ServerStatus>;
  /** Disconnects and stays so until asked; disconnecting twice is the same as once. */
  disconnect(caller: Caller, serverId: string): Promise<ServerStatus>;
}

/** What the service is made of. */
export interface ServerServiceDeps {
  pool: ConnectionPool;
  trail: AuditTrail;
  guard: AccessGuard;
}

/** Makes the service. */
export function createServerService({ pool, trail, guard }: ServerServiceDeps): ServerService {
  const steer = async (
    caller: Caller,
    serverId: string,
    name: 'SERVER_CONNECT_REQUESTED' | 'SERVER_DISCONNECT_REQUESTED',
    act: (connection: UpstreamConnection) => Promise<void>,
  ) => {
    await guard.require(caller, 'server.manage');
    const connection = pool.find(serverId);
    if (connection === undefined) throw notFound('server');
    const spanName = name === 'SERVER_CONNECT_REQUESTED' ? 'server.connect' : 'server.disconnect';
    return inSpan(spanName, { attributes: { [attributes.serverId]: serverId } }, async (span) => {
      const fields = { server_id: serverId, agent_id: caller.agentId, namespace: caller.namespace };
      await trail.commit({ event: { kind: 'change', name, fields }, by: caller, span }, async () => undefined);
      await act(connection);
      return connection.status();
    });
  };
  return {
    list: async (caller) => {
      await guard.require(caller, 'server.read');
      return pool.list();
    },
    connect: (caller, serverId) =>
      steer(caller, serverId, 'SERVER_CONNECT_REQUESTED', (connection) => connection.connect()),
    disconnect: (caller, serverId) =>
      steer(caller, serverId, 'SERVER_DISCONNECT_REQUESTED', (connection) => connection.disconnect()),
  };
}
