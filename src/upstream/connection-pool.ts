/** All connections to upstream servers. They are independent: a failure of one does not affect another. */
import { settledWithin } from '../flow/time-limit.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { MisconfiguredServer, ServerStatus } from '../shapes/server.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import { createConnection, type UpstreamConnection } from './connection.ts';
import type { UpstreamLog } from './log.ts';
import type { UpstreamSkillList } from './skills/list.ts';
import { createStartLimit } from './start-limit.ts';

/** Dependencies of the pool. */
export interface ConnectionPoolDeps {
  servers: Config['servers'];
  /** Servers that are listed only. */
  misconfigured?: readonly MisconfiguredServer[];
  /** The variables that every server over stdio gets. */
  environment: Config['serverEnvironment'];
  limits: Config['limits'];
  /** The hub's version, sent to each server. */
  clientVersion: string;
  log: UpstreamLog;
  /** May return a promise, which must not reject. A new connection is `connected` only after it has resolved. */
  onToolsChanged(serverId: string, tools: readonly ToolDefinition[]): unknown;
  /** Called with each list of a server's skills, and with undefined when the server is disconnected. */
  onSkillsChanged?: ((serverId: string, list: UpstreamSkillList | undefined) => unknown) | undefined;
  onStateChanged(status: ServerStatus): void;
}

/** The connections by server id. Disposing the pool closes them all in parallel, within 2.5 seconds. */
export interface ConnectionPool extends AsyncDisposable {
  /** Connects each server with `autoConnect`, in the background. Returns at once; never throws. */
  start(): void;
  /** The status of every configured server, in the order of the configuration, the misconfigured ones last. */
  list(): ServerStatus[];
  /** The status of one server. */
  status(serverId: string): ServerStatus | undefined;
  /** The connection of a server. There is none for a misconfigured one. */
  find(serverId: string): UpstreamConnection | undefined;
}

/** The longest time that disposing may take, in milliseconds. */
const closeMsMax = 2500;

/** Creates a connection for each configured server. None is connected before {@link ConnectionPool.start}. */
export function createConnectionPool(deps: ConnectionPoolDeps): ConnectionPool {
  const { servers, environment, limits, clientVersion, log, onStateChanged } = deps;
  const startLimit = createStartLimit();
  const connections = new Map(
    Object.entries(servers).map(([serverId, configuration]) => {
      const onToolsChanged = (tools: readonly ToolDefinition[]) => deps.onToolsChanged(serverId, tools);
      const connection = createConnection({
        serverId,
        configuration,
        environment,
        limits,
        startLimit,
        clientVersion,
        log,
        onToolsChanged,
        onSkillsChanged: deps.onSkillsChanged && ((list) => deps.onSkillsChanged?.(serverId, list)),
        onStateChanged,
      });
      return [serverId, connection] as const;
    }),
  );
  const stateSince = Date.now();
  const misconfigured = new Map(
    (deps.misconfigured ?? []).map((server) => [server.serverId, misconfiguredStatus(server, stateSince)]),
  );
  return {
    start() {
      for (const [serverId, connection] of connections) {
        if (servers[serverId]?.autoConnect === true) void connection.connect();
      }
    },
    list: () => [...[...connections.values()].map((connection) => connection.status()), ...misconfigured.values()],
    status: (serverId) => connections.get(serverId)?.status() ?? misconfigured.get(serverId),
    find: (serverId) => connections.get(serverId),
    async [Symbol.asyncDispose]() {
      const closed = [...connections.values()].map((connection) => connection[Symbol.asyncDispose]());
      await settledWithin(closeMsMax, Promise.allSettled(closed));
    },
  };
}

function misconfiguredStatus(server: MisconfiguredServer, stateSince: number): ServerStatus {
  return { ...server, state: 'misconfigured', stateSince, toolsCount: 0, toolsRefusedCount: 0 };
}
