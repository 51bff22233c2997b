/** The connection to one upstream server, as the domain uses it, and its dependencies. */
import type { Config } from '../../shapes/configuration/config.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { AgentName } from '../../shapes/oauth/credential.ts';
import type { ServerConfiguration, ServerStatus } from '../../shapes/server.ts';
import type { ToolDefinition, ToolResult } from '../../shapes/tool.ts';
import type { UpstreamLog } from '../log.ts';
import type { ClientProfile } from '../mcp-client.ts';
import type { Authorizer } from '../oauth/authorizer.ts';
import type { OfferChange, OfferKind } from '../offers/offer-list.ts';
import type { UpstreamRequest } from '../request/server-request.ts';
import type { UpstreamSkillList } from '../skills/list.ts';
import type { StartLimit } from '../start-limit.ts';
import type { UpstreamCall } from '../tool-call.ts';
import type { ServerIntroduction } from './introduction.ts';
import type { OwnSession } from './own-session.ts';

/** Dependencies of a connection. */
export interface ConnectionDeps {
  serverId: string;
  configuration: ServerConfiguration;
  /** The variables that every server over stdio gets. */
  environment: Record<string, string>;
  limits: Config['limits'];
  /** Adds access tokens to requests over HTTP; undefined for a server that needs none. */
  authorizer?: Authorizer | undefined;
  /** The connections of agents that call with their own login; undefined where the hub has one for all. */
  agents?: AgentConnections | undefined;
  /** Limits the child processes that start at the same time. */
  startLimit: StartLimit;
  /** The hub's version, sent to the server. */
  clientVersion: string;
  log: UpstreamLog;
  /** Called when the tools differ from those reported before. `refused` counts the tools that cannot be offered. */
  onToolsChanged(tools: readonly ToolDefinition[], refused: number): unknown;
  /** Called with each list of the server's skills, and with undefined when the server is disconnected. */
  onSkillsChanged?: ((list: UpstreamSkillList | undefined) => unknown) | undefined;
  /** Called when a list of prompts, resources or templates may have changed, or a resource was updated. */
  onOffersChanged?: ((change: OfferChange) => void) | undefined;
  onStateChanged(status: ServerStatus): void;
  /** Called when a server is quarantined because it died too often. */
  onQuarantined?: ((status: ServerStatus) => void) | undefined;
  /** Unix milliseconds. */
  now?: () => number;
  /** From 0 inclusive to 1 exclusive. */
  random?: () => number;
}

/** The connection to one server. It exists as long as the hub runs, connected or not. */
export interface UpstreamConnection extends AsyncDisposable {
  /**
   * Connects, and reconnects after each failure. Resolves when the first attempt has settled; never rejects. May be
   * repeated.
   */
  connect(): Promise<void>;
  /** Closes the connection and removes its tools, within about two seconds. Never rejects; may be repeated. */
  disconnect(): Promise<void>;
  status(): ServerStatus;
  /** Resolves when the attempt to connect that is in progress has settled; undefined if none is. It never rejects. */
  attempt(): Promise<void> | undefined;
  /** The tools as last listed. They remain while the connection is reconnecting. */
  tools(): readonly ToolDefinition[];
  /**
   * Calls a tool. The signal of the call is its only deadline. When it aborts, the server is sent a cancellation.
   * @throws UpstreamCallError, and nothing else.
   */
  call(call: UpstreamCall): Promise<ToolResult>;
  /**
   * Sends a request other than a tool call, and returns its result unchanged. The signal is its only deadline.
   * @throws UpstreamCallError, and nothing else.
   */
  request(request: UpstreamRequest): Promise<JsonObject>;
  /**
   * Opens a session for one client of the hub, over a process or an HTTP session of its own, with a protocol of 2025: later
   * ones have no requests of servers. It ends with the connection, or when it is closed.
   * @throws UpstreamCallError, and nothing else.
   */
  openOwnSession(profile: ClientProfile): Promise<OwnSession>;
  /** The connections that calls of agents use instead of this one; undefined where the hub has one login for all. */
  readonly agents: AgentConnections | undefined;
  /** What the server declared, as of the last session; undefined before the first one. */
  introduction(): ServerIntroduction | undefined;
  /**
   * The prompts, resources or templates of the server, fetched when they are first needed and after each change. While the
   * connection is reconnecting, those of the last session.
   * @throws UpstreamCallError, and nothing else.
   */
  offers(kind: OfferKind, signal: AbortSignal): Promise<readonly JsonObject[]>;
  /**
   * Subscribes to updates of a resource until the returned function is called. Further subscriptions share the first one.
   * @throws UpstreamCallError, and nothing else.
   */
  subscribe(uri: string): Promise<() => void>;
}

/** What calls need of a connection. */
export type CallConnection = Pick<UpstreamConnection, 'call' | 'request'>;

/** The connections of one server. Disposing them closes all. */
export interface AgentConnections extends AsyncDisposable {
  /** The connection of an agent, which connects when it is first used. */
  find(agent: AgentName): CallConnection;
  /** Closes the connection of an agent, whose login has changed. */
  close(agent: AgentName): Promise<void>;
}
