/**
 * Sessions of one client with one upstream server, in which the server may ask the client for input. Each request of the
 * server is recorded. Their number is limited for each server and shared out by key.
 */
import { createFairBudget, type FairBudget } from '../../flow/fair-budget.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { EventFields } from '../../shapes/event.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { errorTypeOf, failSpan, inSpan } from '../../telemetry/span.ts';
import type { UpstreamConnection } from '../../upstream/connection/contract.ts';
import type { OwnSession } from '../../upstream/connection/own-session.ts';
import type { ClientProfile } from '../../upstream/mcp-client.ts';
import type { ContentDigest } from '../audit/digest.ts';
import type { AuditedEvent, AuditTrail } from '../audit/trail.ts';
import type { ToolGate } from '../screening/tool-gate.ts';

/** A session. Tool calls and other requests of the client go through it. It is not reopened when it ends. */
export interface ServerSession extends Pick<OwnSession, 'call' | 'request' | 'notify' | 'ended' | 'close'> {
  /** The tools that the server offers to this client only, as far as the content scan admits them. Fetched once for each list. */
  extraTools(): Promise<readonly ToolDefinition[]>;
  /** Of the tools that were fetched last, the one of this name. */
  findTool(toolName: string): ToolDefinition | undefined;
  /** Calls the listener while the server waits for the client, about once a second, until the returned function is called. */
  onWaiting(listener: () => void): () => void;
}

/** Opens sessions. */
export interface ServerSessions {
  /** @throws HestiaError OVERLOADED; UpstreamCallError */
  open(
    caller: Caller,
    server: { serverId: string; connection: UpstreamConnection },
    client: ClientProfile,
  ): Promise<ServerSession>;
}

/** Dependencies of the sessions. */
export interface ServerSessionsDeps {
  toolGate: ToolGate;
  /** Whether the configuration switches a tool off. */
  isDisabled(tool: { serverId: string; toolName: string }): boolean;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  limits: { clientSessionsPerServerMax: number };
}

/** The methods that a server may send to a client. */
const clientMethods: ReadonlySet<string> = new Set(['sampling/createMessage', 'elicitation/create', 'roots/list']);

/** The most requests of a server that wait for one client. Further ones fail at once. */
const requestsWaitingMax = 32;

/** Interval of the reports that a server waits, in milliseconds. */
const waitingIntervalMs = 1000;

/** Creates it; no session is open. */
export function createServerSessions(deps: ServerSessionsDeps): ServerSessions {
  const budgets = new Map<string, FairBudget>();
  const budgetOf = (serverId: string) => {
    const budget = budgets.get(serverId) ?? createFairBudget(deps.limits.clientSessionsPerServerMax);
    budgets.set(serverId, budget);
    return budget;
  };
  return {
    open: async (caller, { serverId, connection }, client) => {
      const budget = budgetOf(serverId);
      if (budget.take(caller.keyId, 1, { isPrivileged: caller.role === 'operator' }) !== undefined) throw overloaded();
      const release = () => budget.give(caller.keyId, 1);
      const listeners = new Set<() => void>();
      try {
        const session = await connection.openOwnSession(watchedClient(deps, caller, { serverId, client, listeners }));
        session.ended.addEventListener('abort', release, { once: true });
        if (session.ended.aborted) release();
        const opened = serverSession(deps, { serverId, connection, session, listeners });
        // A client may call a tool that it has listed in an earlier session.
        await opened.extraTools().catch(() => []);
        return opened;
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function overloaded(): HestiaError {
  const message = 'too many clients have a session of their own with this server, or this key has its share of them';
  return new HestiaError('OVERLOADED', `${message}; see limits.clientSessionsPerServerMax`, { retryAfterSeconds: 5 });
}

/** Records an answer. Those that fail are counted, since a server may repeat what a client refuses. */
async function recordAnswer(
  trail: AuditTrail,
  { fields, ...rest }: Omit<AuditedEvent, 'event'> & { fields: EventFields },
): Promise<void> {
  const { server_id, mcp_method, error_type } = fields;
  const failed = error_type !== undefined;
  const audited = { ...rest, event: { kind: 'security', name: 'CLIENT_INPUT_REQUESTED', failed, fields } } as const;
  if (!failed) await trail.record(audited);
  else
    await trail.refusals.record(audited, JSON.stringify([server_id, rest.by.keyId, mcp_method, error_type]), 'event');
}

function tooManyWaiting(): HestiaError {
  return new HestiaError('OVERLOADED', `${requestsWaitingMax} requests of the server wait for the client`);
}

interface WatchedClient {
  serverId: string;
  client: ClientProfile;
  listeners: ReadonlySet<() => void>;
}

/**
 * The client, whose answers to the server are recorded, those that fail as a count. Methods that no client has to answer are
 * refused.
 */
function watchedClient(
  { trail, contentDigest }: ServerSessionsDeps,
  caller: Caller,
  { serverId, client, listeners }: WatchedClient,
): ClientProfile {
  let waitingCount = 0;
  const answer = (request: { method: string; params: JsonObject }, signal: AbortSignal) =>
    inSpan(request.method, {}, async (span) => {
      const startedAt = performance.now();
      const record = (result: JsonObject | undefined, error_type?: string) => {
        const { agentId: agent_id, namespace } = caller;
        const latency_ms = Math.round((performance.now() - startedAt) * 1000) / 1000;
        const fields = { server_id: serverId, mcp_method: request.method, agent_id, namespace, latency_ms, error_type };
        const digests = { arguments: contentDigest(request.params), result: result && contentDigest(result) };
        return recordAnswer(trail, { by: caller, span, fields, digests });
      };
      try {
        if (waitingCount > requestsWaitingMax) throw tooManyWaiting();
        const result = await client.onRequest(request, signal);
        await record(result);
        return result;
      } catch (error) {
        const errorType = errorTypeOf(error);
        failSpan(span, errorType);
        await record(undefined, errorType);
        throw error;
      }
    });
  return {
    ...client,
    onRequest: async (request, signal) => {
      if (!clientMethods.has(request.method)) return client.onRequest(request, signal);
      const waiting = setInterval(() => {
        for (const listener of listeners) listener();
      }, waitingIntervalMs);
      waitingCount += 1;
      try {
        return await answer(request, signal);
      } finally {
        waitingCount -= 1;
        clearInterval(waiting);
      }
    },
  };
}

interface OpenedSession {
  serverId: string;
  connection: UpstreamConnection;
  session: OwnSession;
  listeners: Set<() => void>;
}

function serverSession(
  { toolGate, isDisabled }: ServerSessionsDeps,
  { serverId, connection, session, listeners }: OpenedSession,
): ServerSession {
  let screened: { listed: readonly ToolDefinition[]; extra: Map<string, ToolDefinition> } | undefined;
  return {
    call: session.call,
    request: session.request,
    notify: session.notify,
    ended: session.ended,
    close: session.close,
    extraTools: async () => {
      const listed = await session.tools();
      if (screened?.listed !== listed) {
        const shared = new Set(connection.tools().map(({ toolName }) => toolName));
        const own = listed.filter((tool) => !shared.has(tool.toolName) && !isDisabled(tool));
        const admitted = await toolGate.screen(serverId, own);
        screened = { listed, extra: new Map(admitted.map((tool) => [tool.toolName, tool])) };
      }
      return [...screened.extra.values()];
    },
    findTool: (toolName) => screened?.extra.get(toolName),
    onWaiting: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
