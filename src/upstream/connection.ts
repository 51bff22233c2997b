/**
 * The connection to one upstream server: connects, keeps connected, follows its tools, calls them. Owns the session of
 * the moment and the wait for the next one. Deadlines of calls, records and spans are not its business.
 */
import { isDeepStrictEqual } from 'node:util';
import { reconnectDelay } from '../flow/backoff.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { ServerConfiguration, ServerErrorType, ServerState, ServerStatus } from '../shapes/server.ts';
import type { ToolDefinition, ToolResult } from '../shapes/tool.ts';
import { UpstreamCallError } from './call-failure.ts';
import { type HealthCheck, watchHealth } from './health-check.ts';
import type { UpstreamLog } from './log.ts';
import { openSession, type Session } from './session.ts';
import { listFailure, type SessionFailureDetail } from './session-failure.ts';
import { callTool, type UpstreamCall } from './tool-call.ts';
import type { ToolList } from './tool-list.ts';
import { watchTools } from './tool-watch.ts';

/** What a connection is made of. */
export interface ConnectionDeps {
  serverId: string;
  configuration: ServerConfiguration;
  limits: Config['limits'];
  /** The hub's version, told to the server. */
  clientVersion: string;
  log: UpstreamLog;
  /** The server's tools, whenever they differ from those told before; `refused` counts those that cannot be offered. */
  onToolsChanged(tools: readonly ToolDefinition[], refused: number): unknown;
  onStateChanged(status: ServerStatus): void;
  /** Unix milliseconds. */
  now?: () => number;
  /** From 0 inclusive to 1 exclusive. */
  random?: () => number;
}

/** The connection to one server, for as long as the hub runs. */
export interface UpstreamConnection extends AsyncDisposable {
  /** Connects and stays connected. Resolves once the first attempt has settled; never rejects. May be repeated. */
  connect(): Promise<void>;
  /** Ends the connection and forgets the tools; takes some two seconds at most; never rejects. May be repeated. */
  disconnect(): Promise<void>;
  status(): ServerStatus;
  /** The tools as last listed; they stay while the connection is being made again. */
  tools(): readonly ToolDefinition[];
  /**
   * Calls a tool. The caller's signal is the only deadline; when it aborts, the server is told.
   * @throws UpstreamCallError, and nothing else.
   */
  call(call: UpstreamCall): Promise<ToolResult>;
}

/** Makes a connection, not yet connected. Dispose it to end it for good. */
export function createConnection(deps: ConnectionDeps): UpstreamConnection {
  return new Connection(deps);
}

const noTools: ToolList = { tools: [], refused: 0 };

class Connection implements UpstreamConnection {
  readonly #deps: ConnectionDeps;
  readonly #now: () => number;
  readonly #random: () => number;
  #state: ServerState = 'disconnected';
  #stateSince: number;
  #errorType: ServerErrorType | undefined;
  #list = noTools;
  #toolsByName = new Map<string, ToolDefinition>();
  /** From connect to disconnect; its abort ends whatever is under way. */
  #lifetime: AbortController | undefined;
  #attempt: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #session: Session | undefined;
  #health: HealthCheck | undefined;
  readonly #closing = new Set<Promise<void>>();
  #failures = 0;
  #callsUnderWay = 0;
  #legacy = false;
  #disposed = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#random = deps.random ?? Math.random;
    this.#stateSince = this.#now();
  }

  connect(): Promise<void> {
    if (this.#disposed || this.#session !== undefined) return Promise.resolve();
    if (this.#attempt !== undefined) return this.#attempt;
    if (this.#lifetime === undefined) {
      this.#lifetime = new AbortController();
      this.#failures = 0;
      this.#enter('connecting');
    }
    return this.#try(this.#lifetime.signal);
  }

  async disconnect(): Promise<void> {
    const attempt = this.#attempt;
    this.#lifetime?.abort();
    this.#lifetime = undefined;
    this.#attempt = undefined;
    clearTimeout(this.#retry);
    this.#leave(this.#session);
    if (this.#state !== 'disconnected') {
      this.#errorType = undefined;
      this.#enter('disconnected');
      void this.#take(noTools);
    }
    await Promise.all([attempt, ...this.#closing]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.disconnect();
  }

  status(): ServerStatus {
    return {
      serverId: this.#deps.serverId,
      transport: 'command' in this.#deps.configuration ? 'stdio' : 'http',
      state: this.#state,
      toolsCount: this.#list.tools.length,
      toolsRefusedCount: this.#list.refused,
      protocolVersion: this.#session?.protocolVersion,
      errorType: this.#errorType,
      stateSince: this.#stateSince,
    };
  }

  tools(): readonly ToolDefinition[] {
    return this.#list.tools;
  }

  async call(call: UpstreamCall): Promise<ToolResult> {
    const session = this.#session;
    if (session === undefined) throw new UpstreamCallError('server_unavailable');
    this.#callsUnderWay += 1;
    try {
      return await callTool(call, {
        session,
        definition: this.#toolsByName.get(call.toolName),
        limits: this.#deps.limits,
      });
    } finally {
      this.#callsUnderWay -= 1;
    }
  }

  #try(lifetime: AbortSignal): Promise<void> {
    clearTimeout(this.#retry);
    const attempt = this.#open(lifetime).finally(() => {
      if (this.#attempt === attempt) this.#attempt = undefined;
    });
    this.#attempt = attempt;
    return attempt;
  }

  async #open(lifetime: AbortSignal): Promise<void> {
    let session: Session | undefined;
    try {
      session = await openSession({ ...this.#deps, legacy: this.#legacy, signal: lifetime });
      const list = await this.#watchTools(session);
      if (lifetime.aborted) throw new Error('disconnected meanwhile');
      // Whoever sees the server connected finds its tools.
      await this.#take(list);
      if (lifetime.aborted || session.ended.aborted) throw new Error('ended meanwhile');
      this.#enterSession(session, lifetime);
    } catch (error) {
      await session?.close();
      if (lifetime.aborted) return;
      // The server may be another one by now, so it is asked for its protocol again.
      this.#legacy = false;
      const { errorType, detail } = listFailure(error);
      this.#retryLater(errorType, lifetime, detail);
    }
  }

  #watchTools(session: Session): Promise<ToolList> {
    const { serverId, limits, log } = this.#deps;
    return watchTools({
      serverId,
      session,
      limits,
      log,
      random: this.#random,
      onList: (list) => void this.#take(list),
      onListFailed: (error) => {
        this.#errorType = 'list_failed';
        log.warn('The changed tools of an upstream server could not be listed', {
          ...this.#fields('list_failed', listFailure(error).detail),
        });
        this.#health?.checkNow();
      },
      onTrouble: () => this.#health?.checkNow(),
    });
  }

  #enterSession(session: Session, lifetime: AbortSignal): void {
    this.#session = session;
    this.#legacy = session.era === 'legacy';
    this.#failures = 0;
    this.#errorType = undefined;
    const onEnded = () => {
      if (this.#session !== session) return;
      this.#leave(session);
      this.#retryLater('connection_lost', lifetime);
    };
    this.#health = watchHealth({
      session,
      limits: this.#deps.limits,
      isBusy: () => this.#callsUnderWay > 0,
      onDead: onEnded,
    });
    session.ended.addEventListener('abort', onEnded);
    // Whether one lost request means a lost server is for the server to say.
    session.client.onerror = () => this.#health?.checkNow();
    this.#enter('connected');
  }

  #leave(session: Session | undefined): void {
    this.#session = undefined;
    this.#health = undefined;
    if (session === undefined) return;
    const closing = session.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #retryLater(errorType: ServerErrorType, lifetime: AbortSignal, detail: SessionFailureDetail = {}): void {
    this.#failures += 1;
    this.#errorType = errorType;
    const delayMs = reconnectDelay(this.#deps.limits, this.#failures, this.#random);
    this.#deps.log.warn('Upstream server is not connected', {
      ...this.#fields(errorType, detail),
      retry_in_ms: delayMs,
    });
    this.#retry = setTimeout(() => void this.#try(lifetime), delayMs).unref();
    this.#enter('reconnecting');
  }

  #enter(state: ServerState): void {
    if (this.#state !== state) this.#stateSince = this.#now();
    this.#state = state;
    this.#deps.onStateChanged(this.status());
  }

  async #take(list: ToolList): Promise<void> {
    const same = isDeepStrictEqual(list, this.#list);
    this.#list = list;
    if (same) return;
    this.#toolsByName = new Map(list.tools.map((tool) => [tool.toolName, tool]));
    await this.#deps.onToolsChanged(list.tools, list.refused);
  }

  #fields(errorType: ServerErrorType, detail: SessionFailureDetail): Record<string, string | number | undefined> {
    return {
      server_id: this.#deps.serverId,
      error_type: errorType,
      http_status: detail.httpStatus,
      system_code: detail.systemCode,
      json_rpc_code: detail.jsonRpcCode,
    };
  }
}
