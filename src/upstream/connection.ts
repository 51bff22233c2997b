/**
 * The connection to one upstream server: connects, reconnects, keeps its tool list, calls tools. Owns the
 * current session and the timer of the next attempt. Deadlines, records and spans of calls are left to the domain.
 */
import { unlessAborted } from '../flow/time-limit.ts';
import type { JsonObject } from '../shapes/json.ts';
import type { ServerStatus } from '../shapes/server.ts';
import type { ToolDefinition, ToolResult } from '../shapes/tool.ts';
import { UpstreamCallError } from './call-failure.ts';
import type { AgentConnections, ConnectionDeps, UpstreamConnection } from './connection/contract.ts';
import { introductionOf, type ServerIntroduction } from './connection/introduction.ts';
import { type OwnSession, openOwnSession } from './connection/own-session.ts';
import { ConnectionState } from './connection/state.ts';
import { type HealthCheck, startHealthChecks } from './health-check.ts';
import type { ClientProfile } from './mcp-client.ts';
import { reasonField, unavailable } from './oauth/missing-login.ts';
import { OfferCache, type OfferCacheDeps } from './offers/offer-cache.ts';
import type { OfferKind } from './offers/offer-list.ts';
import { ReconnectSchedule } from './reconnect-delay.ts';
import { sendRequest, type UpstreamRequest } from './request/server-request.ts';
import { openSession, type Session } from './session.ts';
import { failureFields, listFailure, lossFailure, SessionFailure } from './session-failure.ts';
import { watchSkills } from './skills/watch.ts';
import { callTool, type UpstreamCall } from './tool-call.ts';
import { areListsEqual, type ToolList } from './tool-list.ts';
import { watchTools } from './tool-watch.ts';

/** Creates a connection, not connected yet. After it is disposed of, it cannot connect again. */
export function createConnection(deps: ConnectionDeps): UpstreamConnection {
  return new Connection(deps);
}

const noTools: ToolList = { tools: [], refused: 0 };

class Connection implements UpstreamConnection {
  readonly #deps: ConnectionDeps;
  readonly #random: () => number;
  readonly #state: ConnectionState;
  #list = noTools;
  #toolsByName = new Map<string, ToolDefinition>();
  /** Exists from connect to disconnect. Aborting it ends the attempt in progress. */
  #lifetime: AbortController | undefined;
  #attempt: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #session: Session | undefined;
  #health: HealthCheck | undefined;
  readonly #closing = new Set<Promise<void>>();
  readonly #schedule: ReconnectSchedule;
  #callsRunning = 0;
  #legacy = false;
  #disposed = false;
  readonly #offers: OfferCache;
  #introduction: ServerIntroduction | undefined;
  readonly attempt = () => this.#attempt;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#random = deps.random ?? Math.random;
    const onSet = () => deps.onStateChanged(this.status());
    this.#state = new ConnectionState({ now: deps.now ?? Date.now, onSet });
    this.#schedule = new ReconnectSchedule({
      limits: deps.limits,
      random: this.#random,
      startsProcess: 'command' in deps.configuration,
    });
    const onChanged: OfferCacheDeps['onChanged'] = (change) => deps.onOffersChanged?.(change);
    this.#offers = new OfferCache({ ...deps, random: this.#random, onChanged });
  }

  connect(): Promise<void> {
    if (this.#disposed || this.#session !== undefined) return Promise.resolve();
    if (this.#attempt !== undefined) return this.#attempt;
    if (this.#lifetime === undefined) {
      this.#lifetime = new AbortController();
      this.#schedule.reset();
      this.#state.set('connecting');
    }
    return this.#startAttempt(this.#lifetime.signal);
  }

  async disconnect(): Promise<void> {
    const attempt = this.#attempt;
    this.#lifetime?.abort();
    this.#lifetime = undefined;
    this.#attempt = undefined;
    clearTimeout(this.#retry);
    this.#closeSession(this.#session);
    if (this.#state.current !== 'disconnected') {
      this.#state.setFailure(undefined);
      this.#state.set('disconnected');
      void this.#publishTools(noTools);
      this.#deps.onSkillsChanged?.(undefined);
    }
    await Promise.all([attempt, ...this.#closing]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.all([this.disconnect(), this.#deps.agents?.[Symbol.asyncDispose]()]);
  }

  status(): ServerStatus {
    return {
      serverId: this.#deps.serverId,
      transport: 'command' in this.#deps.configuration ? 'stdio' : 'http',
      ...this.#state.fields(),
      toolsCount: this.#list.tools.length,
      toolsRefusedCount: this.#list.refused,
      protocolVersion: this.#session?.protocolVersion,
      ...reasonField(this.#deps.serverId, this.#state.fields()),
    };
  }

  tools(): readonly ToolDefinition[] {
    return this.#list.tools;
  }

  introduction(): ServerIntroduction | undefined {
    return this.#introduction;
  }

  offers(kind: OfferKind, signal: AbortSignal): Promise<readonly JsonObject[]> {
    return this.#offers.list(kind, signal);
  }

  subscribe(uri: string): Promise<() => void> {
    return this.#offers.subscriptions.subscribe(uri);
  }

  get agents(): AgentConnections | undefined {
    return this.#deps.agents;
  }

  call(call: UpstreamCall): Promise<ToolResult> {
    const { limits } = this.#deps;
    const definition = this.#toolsByName.get(call.toolName);
    return this.#use(call.signal, (session) => callTool(call, { session, definition, limits }));
  }

  request(request: UpstreamRequest): Promise<JsonObject> {
    const { limits } = this.#deps;
    return this.#use(request.signal, (session) => sendRequest(request, { session, limits }));
  }

  async openOwnSession(profile: ClientProfile): Promise<OwnSession> {
    const lifetime = this.#session && this.#lifetime?.signal;
    if (lifetime === undefined) throw new UpstreamCallError('server_unavailable');
    const deps = { ...this.#deps, legacy: true, mayStartTwice: false, signal: lifetime };
    return openOwnSession(deps, profile, (closed) => this.#track(closed));
  }

  async #use<Result>(signal: AbortSignal, work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = this.#session;
    if (session === undefined) throw unavailable(this.#deps.serverId, this.#state.fields());
    this.#callsRunning += 1;
    try {
      return await work(session);
    } catch (error) {
      // A server that does not know the session has not run the call, so it may be repeated.
      if (!(error instanceof UpstreamCallError) || !error.isSessionUnknown) throw error;
      const renewed = await this.#renew(session, signal);
      if (renewed === undefined) throw error;
      return await work(renewed);
    } finally {
      this.#callsRunning -= 1;
    }
  }

  /** Opens a new session in place of one that the server has lost, once for all calls. Returns undefined if that fails. */
  async #renew(lost: Session, signal: AbortSignal): Promise<Session | undefined> {
    if (this.#session === lost) this.#closeSession(lost);
    if (this.#lifetime !== undefined && this.#session === undefined && this.#attempt === undefined) {
      this.#state.set('reconnecting');
      void this.#startAttempt(this.#lifetime.signal);
    }
    if (this.#attempt !== undefined) await unlessAborted(this.#attempt, signal).catch(() => {});
    return signal.aborted ? undefined : this.#session;
  }

  #startAttempt(lifetime: AbortSignal): Promise<void> {
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
      session = await this.#openSession(lifetime);
      const list = await this.#watchTools(session);
      if (lifetime.aborted) throw new Error('disconnected while connecting');
      // Tools are published before the state, so that a server that is seen as connected has its tools.
      await this.#publishTools(list, lifetime);
      if (lifetime.aborted || session.ended.aborted) throw lossFailure(session.detail());
      this.#useSession(session, lifetime);
    } catch (error) {
      await session?.close();
      if (lifetime.aborted) return;
      const failure = listFailure(error, session?.detail());
      // The server may have been replaced, so the next attempt probes the protocol again, unless it exits on a probe.
      this.#legacy = failure.exitedWhenProbed;
      this.#retryLater(failure, lifetime);
    }
  }

  #openSession(lifetime: AbortSignal): Promise<Session> {
    const mayStartTwice = this.#schedule.isFirstAttempt;
    const open = () => openSession({ ...this.#deps, legacy: this.#legacy, mayStartTwice, signal: lifetime });
    return 'command' in this.#deps.configuration ? this.#deps.startLimit(open, lifetime) : open();
  }

  #watchTools(session: Session): Promise<ToolList> {
    const { serverId, limits, log } = this.#deps;
    return watchTools({
      serverId,
      session,
      limits,
      log,
      random: this.#random,
      onList: (list, isAnnounced) => this.#publishTools(list, session.ended, isAnnounced),
      onListFailed: (error) => {
        const failure = new SessionFailure('list_failed', listFailure(error).detail);
        this.#state.setFailure(failure);
        this.#logFailure('The changed tools of an upstream server could not be listed', failure);
        this.#health?.checkNow();
      },
      onSubscriptionEnded: () => this.#health?.checkNow(),
    });
  }

  #useSession(session: Session, lifetime: AbortSignal): void {
    this.#session = session;
    this.#legacy = session.era === 'legacy';
    this.#schedule.noteConnected();
    this.#state.setFailure(undefined);
    const onEnded = () => {
      if (this.#session !== session) return;
      this.#closeSession(session);
      this.#retryLater(lossFailure(session.detail()), lifetime);
    };
    this.#health = startHealthChecks({
      session,
      limits: this.#deps.limits,
      isBusy: () => this.#callsRunning > 0,
      onDead: onEnded,
    });
    session.ended.addEventListener('abort', onEnded);
    // One lost request does not prove that the server is lost: a health check decides.
    session.client.onerror = () => this.#health?.checkNow();
    this.#introduction = introductionOf(session, this.#deps);
    this.#offers.useSession(session);
    const onSubscriptionEnded = () => this.#health?.checkNow();
    const { onSkillsChanged: onList, ...deps } = this.#deps;
    void watchSkills({ ...deps, session, random: this.#random, onList, onSubscriptionEnded });
    this.#state.set('connected');
  }

  #closeSession(session: Session | undefined): void {
    this.#session = undefined;
    this.#health = undefined;
    this.#offers.endSession();
    if (session === undefined) return;
    this.#track(session.close());
  }

  /** Lets a disconnect wait for the end of a session. */
  #track(closed: Promise<void>): void {
    const closing = closed.finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #retryLater(failure: SessionFailure, lifetime: AbortSignal): void {
    this.#state.setFailure(failure);
    const wasQuarantined = this.#schedule.isQuarantined;
    const delayMs = this.#schedule.delayAfter(failure);
    const { isQuarantined } = this.#schedule;
    this.#logFailure('Upstream server is not connected', failure, delayMs);
    this.#retry = setTimeout(() => void this.#startAttempt(lifetime), delayMs).unref();
    this.#state.set('reconnecting', delayMs, isQuarantined);
    if (isQuarantined && !wasQuarantined) this.#deps.onQuarantined?.(this.status());
  }

  async #publishTools(list: ToolList, ended?: AbortSignal, isAnnounced = false): Promise<void> {
    const isUnchanged = await areListsEqual(list, this.#list);
    if (ended?.aborted) return;
    this.#list = list;
    // What a server announces is passed on, since its clients may know more about the change than the list shows.
    if (isUnchanged && isAnnounced) this.#deps.onOffersChanged?.({ kind: 'tools' });
    if (isUnchanged) return;
    this.#toolsByName = new Map(list.tools.map((tool) => [tool.toolName, tool]));
    await this.#deps.onToolsChanged(list.tools, list.refused);
  }

  #logFailure(message: string, failure: SessionFailure, retry_in_ms?: number): void {
    this.#deps.log.warn(message, { server_id: this.#deps.serverId, ...failureFields(failure), retry_in_ms });
  }
}
