/** All connections to upstream servers. Each stands alone: what one does or fails to do, no other notices. */
import { settledWithin } from '../flow/time-limit.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { ServerStatus } from '../shapes/server.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import { createConnection, type UpstreamConnection } from './connection.ts';
import type { UpstreamLog } from './log.ts';

/** What a pool is made of. */
export interface ConnectionPoolDeps {
  servers: Config['servers'];
  limits: Config['limits'];
  /** The hub's version, told to each server. */
  clientVersion: string;
  log: UpstreamLog;
  /** A promise it answers is waited for before a new connection counts as connected; it must not reject. */
  onToolsChanged(serverId: string, tools: readonly ToolDefinition[]): unknown;
  onStateChanged(status: ServerStatus): void;
}

/** The connections by server id. Disposing it ends them all, side by side, within some two and a half seconds. */
export interface ConnectionPool extends AsyncDisposable {
  /** Connects, in the background, each server that is to be connected at start. Never waits, never throws. */
  start(): void;
  /** The status of every configured server, in the order of the configuration. */
  list(): ServerStatus[];
  find(serverId: string): UpstreamConnection | undefined;
}

/** The longest that disposing takes, in milliseconds. */
const closeMsMax = 2500;

/** Makes a connection for each configured server; none is connected yet. */
export function createConnectionPool(deps: ConnectionPoolDeps): ConnectionPool {
  const { servers, limits, clientVersion, log, onStateChanged } = deps;
  const connections = new Map(
    Object.entries(servers).map(([serverId, configuration]) => {
      const onToolsChanged = (tools: readonly ToolDefinition[]) => deps.onToolsChanged(serverId, tools);
      const connection = createConnection({
        serverId,
        configuration,
        limits,
        clientVersion,
        log,
        onToolsChanged,
        onStateChanged,
      });
      return [serverId, connection] as const;
    }),
  );
  return {
    start() {
      for (const [serverId, connection] of connections) {
        if (servers[serverId]?.autoConnect === true) void connection.connect();
      }
    },
    list: () => [...connections.values()].map((connection) => connection.status()),
    find: (serverId) => connections.get(serverId),
    async [Symbol.asyncDispose]() {
      const closed = [...connections.values()].map((connection) => connection[Symbol.asyncDispose]());
      await settledWithin(closeMsMax, Promise.allSettled(closed));
    },
  };
}
