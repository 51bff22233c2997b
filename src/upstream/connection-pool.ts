/** All connections to upstream servers. They are independent: a failure of one does not affect another. */
import { isDeepStrictEqual } from 'node:util';
import { settledWithin } from '../flow/time-limit.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { MisconfiguredServer, ServerConfiguration, ServerStatus } from '../shapes/server.ts';
import type { ToolDefinition } from '../shapes/tool.ts';
import type { AgentConnections, ConnectionDeps, UpstreamConnection } from './connection/contract.ts';
import { createConnection } from './connection.ts';
import { limitRepeatedLines, type UpstreamLog } from './log.ts';
import { createAgentConnections } from './oauth/agent-connections.ts';
import type { Authorizations } from './oauth/authorizations.ts';
import type { OfferChange } from './offers/offer-list.ts';
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
  /** Finds the logins of servers over HTTP. */
  authorizations?: Authorizations | undefined;
  /** The hub's version, sent to each server. */
  clientVersion: string;
  log: UpstreamLog;
  /** May return a promise, which must not reject. A new connection is `connected` only after it has resolved. */
  onToolsChanged(serverId: string, tools: readonly ToolDefinition[]): unknown;
  /** The number of tools of a server that were reported but are not offered, which its status counts as refused. */
  unofferedCount?: ((serverId: string) => number) | undefined;
  /** Called with each list of a server's skills, and with undefined when the server is disconnected. */
  onSkillsChanged?: ((serverId: string, list: UpstreamSkillList | undefined) => unknown) | undefined;
  /** Called when a list of a server's prompts, resources or templates may have changed, or a resource was updated. */
  onOffersChanged?: ((serverId: string, change: OfferChange) => void) | undefined;
  onStateChanged(status: ServerStatus): void;
  /** Called when a server is quarantined because it died too often. */
  onQuarantined?: ((status: ServerStatus) => void) | undefined;
}

/** The servers of a configuration. */
export interface ConfiguredServers {
  servers: Config['servers'];
  misconfigured: readonly MisconfiguredServer[];
}

/** A difference between two configurations. */
export interface ServerChange {
  serverId: string;
  change: 'added' | 'changed' | 'removed';
}

/** The connections by server id. Disposing the pool closes them all in parallel, within 2.5 seconds. */
export interface ConnectionPool extends AsyncDisposable {
  /** Connects each server with `autoConnect`, in the background. Returns at once; never throws. */
  start(): void;
  /** The status of every configured server, in the order of the configuration, the misconfigured ones last. */
  list(): ServerStatus[];
  /** The status of one server. */
  status(serverId: string): ServerStatus | undefined;
  /** What would change if these were the servers. */
  changesTo(next: ConfiguredServers): ServerChange[];
  /**
   * Makes these the servers: disconnects removed ones, replaces changed ones, and connects those with `autoConnect` in the
   * background. Servers without a change keep their connections. Not to be called again before it has resolved.
   */
  apply(next: ConfiguredServers): Promise<void>;
  /** Whether the configuration switches a tool off. */
  isDisabled(tool: { serverId: string; toolName: string }): boolean;
  /** The tools of connected servers that the configuration switches off. */
  disabledTools(): ToolDefinition[];
  /** The connection of a server. There is none for a misconfigured one. */
  find(serverId: string): UpstreamConnection | undefined;
  /** The configuration of a server that can be used. */
  configuration(serverId: string): ServerConfiguration | undefined;
}

/** The longest time that disposing may take, in milliseconds. */
const closeMsMax = 2500;

/** Creates a connection for each configured server. None is connected before {@link ConnectionPool.start}. */
export function createConnectionPool(deps: ConnectionPoolDeps): ConnectionPool {
  const connectionOf = connectionFactory(deps);
  let current: ConfiguredServers = { servers: deps.servers, misconfigured: deps.misconfigured ?? [] };
  let connections = new Map(Object.entries(current.servers).map(([id, server]) => [id, connectionOf(id, server)]));
  let misconfigured = misconfiguredStatuses(current);
  // A request may ask for any name, also for one that every object has, such as `constructor`.
  const configuration = (serverId: string) =>
    Object.hasOwn(current.servers, serverId) ? current.servers[serverId] : undefined;
  const isDisabled = ({ serverId, toolName }: { serverId: string; toolName: string }) =>
    configuration(serverId)?.disabledTools?.includes(toolName) === true;
  const connectAll = (serverIds: Iterable<string>) => {
    for (const serverId of serverIds) {
      if (current.servers[serverId]?.autoConnect === true) void connections.get(serverId)?.connect();
    }
  };
  const close = async (closing: readonly UpstreamConnection[]) => {
    const closed = closing.map((connection) => connection[Symbol.asyncDispose]());
    await settledWithin(closeMsMax, Promise.allSettled(closed));
  };
  return {
    start: () => connectAll(connections.keys()),
    list: () => [...[...connections.values()].flatMap((each) => statusOf(each, deps) ?? []), ...misconfigured.values()],
    status: (serverId) => statusOf(connections.get(serverId), deps) ?? misconfigured.get(serverId),
    find: (serverId) => connections.get(serverId),
    configuration,
    isDisabled,
    disabledTools: () => [...connections.values()].flatMap((connection) => connection.tools().filter(isDisabled)),
    changesTo: (next) => changesBetween(current, next),
    async apply(next) {
      const before = connections;
      const { servers: serversBefore } = current;
      const isKept = (serverId: string) =>
        isDeepStrictEqual(withoutTools(serversBefore[serverId]), withoutTools(next.servers[serverId]));
      const kept = new Map([...before].filter(([serverId]) => isKept(serverId)));
      current = next;
      connections = kept;
      misconfigured = misconfiguredStatuses(next);
      // A changed server ends before its successor starts, since both may use the same port or file.
      await close([...before].filter(([serverId]) => !kept.has(serverId)).map(([, connection]) => connection));
      const servers = Object.entries(next.servers);
      connections = new Map(servers.map(([id, server]) => [id, kept.get(id) ?? connectionOf(id, server)]));
      for (const [serverId, connection] of kept) {
        const isSame = isDeepStrictEqual(serversBefore[serverId], next.servers[serverId]);
        if (!isSame) await deps.onToolsChanged(serverId, connection.tools());
      }
      connectAll(servers.map(([serverId]) => serverId).filter((serverId) => !kept.has(serverId)));
    },
    [Symbol.asyncDispose]: () => close([...connections.values()]),
  };
}

/** The status of a connection, if there is one. Tools that it reported and that are not offered count as refused. */
function statusOf(
  connection: UpstreamConnection | undefined,
  { unofferedCount }: ConnectionPoolDeps,
): ServerStatus | undefined {
  const status = connection?.status();
  const unoffered = status === undefined || status.toolsCount === 0 ? 0 : (unofferedCount?.(status.serverId) ?? 0);
  return status && { ...status, toolsRefusedCount: status.toolsRefusedCount + unoffered };
}

function connectionFactory({ environment, limits, clientVersion, onStateChanged, ...deps }: ConnectionPoolDeps) {
  const startLimit = createStartLimit();
  const log = limitRepeatedLines(deps.log);
  return (serverId: string, configuration: ServerConfiguration): UpstreamConnection => {
    const server = { serverId, configuration, environment, limits, startLimit, clientVersion, log };
    return createConnection({
      ...server,
      onStateChanged,
      onQuarantined: deps.onQuarantined,
      authorizer: deps.authorizations?.find(server, { kind: 'hub' }),
      agents: agentConnections(server, deps.authorizations),
      onToolsChanged: (tools: readonly ToolDefinition[]) => deps.onToolsChanged(serverId, tools),
      onOffersChanged: deps.onOffersChanged && ((change) => deps.onOffersChanged?.(serverId, change)),
      onSkillsChanged: deps.onSkillsChanged && ((list) => deps.onSkillsChanged?.(serverId, list)),
    });
  };
}

type ServerDeps = Omit<ConnectionDeps, 'onStateChanged' | 'onToolsChanged'>;

/** The connections of agents to a server where each calls with its own login. They report nothing: its tools are known. */
function agentConnections(
  server: ServerDeps,
  authorizations: Authorizations | undefined,
): AgentConnections | undefined {
  const { configuration } = server;
  if ('command' in configuration || configuration.oauth?.identity !== 'agent') return undefined;
  const silent = { onToolsChanged: () => undefined, onStateChanged: () => undefined };
  return createAgentConnections((agent) => {
    const authorizer = authorizations?.find(server, { kind: 'agent', ...agent });
    return { authorizer, connection: createConnection({ ...server, ...silent, authorizer }) };
  });
}

/** What a connection is made of: tools that are switched off do not concern it. */
function withoutTools(configuration: ServerConfiguration | undefined): object | undefined {
  return configuration && { ...configuration, disabledTools: undefined };
}

function changesBetween(current: ConfiguredServers, next: ConfiguredServers): ServerChange[] {
  const [before, after] = [entriesOf(current), entriesOf(next)];
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  return ids.flatMap((serverId): ServerChange[] => {
    if (!after.has(serverId)) return [{ serverId, change: 'removed' }];
    if (!before.has(serverId)) return [{ serverId, change: 'added' }];
    const isSame = isDeepStrictEqual(before.get(serverId), after.get(serverId));
    return isSame ? [] : [{ serverId, change: 'changed' }];
  });
}

/** The servers by id. Of a misconfigured one the place of its error does not count, which moves with other lines. */
function entriesOf({ servers, misconfigured }: ConfiguredServers): Map<string, unknown> {
  const reasons = misconfigured.map(({ serverId, reason }) => [serverId, reason.replace(/:\d+:\d+:/, ':')] as const);
  return new Map<string, unknown>([...Object.entries(servers), ...reasons]);
}

function misconfiguredStatuses({ misconfigured }: ConfiguredServers): Map<string, ServerStatus> {
  const stateSince = Date.now();
  return new Map(misconfigured.map((server) => [server.serverId, misconfiguredStatus(server, stateSince)]));
}

function misconfiguredStatus(server: MisconfiguredServer, stateSince: number): ServerStatus {
  return { ...server, state: 'misconfigured', stateSince, toolsCount: 0, toolsRefusedCount: 0 };
}
