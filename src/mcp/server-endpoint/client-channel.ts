/**
 * The way back from servers to a 2025-era client, over sessions of the client with them. Each
 * is opened when the client first needs it. Requests and notifications of a server go to the stream of a running request of the client, if there is one.
 */
import type { ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { OfferingServer, ServerOffers, ServerSession } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { TracedServer } from '../traced-server.ts';
import { clientProfile, isAskable } from './client-profile.ts';
import type { EndpointOffers, TargetedRequest } from './endpoint-offers.ts';

/** The way back to one client. */
export interface ClientChannel {
  /**
   * The session with the server that a request is for; undefined for a client, or a request, that needs none.
   * @throws HestiaError SERVER_UNAVAILABLE, OVERLOADED
   */
  session(request: TargetedRequest, signal: AbortSignal): Promise<ServerSession | undefined>;
  /** Whether requests of the client go through sessions of its own. */
  isNeeded(): boolean;
  /** Sets the log level of the client's session with the server. Opens the session. */
  setLevel(level: string, signal: AbortSignal): Promise<void>;
  /** Tells the servers of changed roots. */
  rootsChanged(): void;
  /** Runs the handling of a request, to whose stream the server's messages may go. */
  running<T>(ctx: ServerContext, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Dependencies of a channel. */
export interface ClientChannelDeps {
  offers: ServerOffers;
  endpoint: EndpointOffers;
  server: TracedServer;
  caller: () => Caller;
  /** How long a client may take to answer, in milliseconds. */
  answerMsMax: number;
}

/** The session with one server. */
interface ChannelSession {
  opening: Promise<ServerSession | undefined>;
  opened: ServerSession | undefined;
}

/** Creates the channel; no session is open. */
export function createClientChannel(deps: ClientChannelDeps): ClientChannel {
  const { server, endpoint, caller } = deps;
  const running = new Set<ServerContext>();
  const sessions = new Map<string, ChannelSession>();
  let level: string | undefined;
  const isNeeded = () => level !== undefined || isAskable(server.getClientCapabilities());
  const begin = (target: OfferingServer) => {
    const opening = openSession(deps, target, () => [...running].at(-1));
    return keepSession(sessions, target.serverId, opening, () => level);
  };
  const session: ClientChannel['session'] = async (request, signal) => {
    if (!isNeeded()) return undefined;
    const target = await endpoint.serverOf(caller(), request, signal);
    return target && (sessions.get(target.serverId) ?? begin(target)).opening;
  };
  const opened = () => [...sessions.values()].flatMap((each) => each.opened ?? []);
  return {
    session,
    isNeeded,
    setLevel: async (next, signal) => {
      level = next;
      const open = opened();
      if (open.length === 0) await session({ method: 'logging/setLevel', params: {} }, signal);
      await Promise.all(open.map((each) => sendLevel(each, next)));
    },
    rootsChanged: () => {
      for (const each of opened()) each.notify('notifications/roots/list_changed');
    },
    running: async (ctx, work) => {
      running.add(ctx);
      try {
        return await work();
      } finally {
        running.delete(ctx);
      }
    },
    close: async () => {
      const openings = [...sessions.values()].map(({ opening }) => opening.catch(() => undefined));
      await Promise.all(openings.map(async (opening) => (await opening)?.close()));
    },
  };
}

/** Keeps a session from its opening to its end, or until it cannot be opened. */
function keepSession(
  sessions: Map<string, ChannelSession>,
  serverId: string,
  opening: Promise<ServerSession | undefined>,
  level: () => string | undefined,
): ChannelSession {
  const kept: ChannelSession = { opening, opened: undefined };
  const forget = () => {
    if (sessions.get(serverId) === kept) sessions.delete(serverId);
  };
  const open = async () => {
    const session = await opening;
    kept.opened = session;
    session?.ended.addEventListener('abort', forget);
    const wanted = level();
    if (session !== undefined && wanted !== undefined) await sendLevel(session, wanted);
    return session;
  };
  kept.opening = open();
  kept.opening.catch(forget);
  sessions.set(serverId, kept);
  return kept;
}

async function openSession(
  { offers, server, caller, answerMsMax }: ClientChannelDeps,
  target: OfferingServer,
  newest: () => ServerContext | undefined,
): Promise<ServerSession | undefined> {
  const profile = clientProfile(server.getClientCapabilities(), {
    onRequest: async ({ method, params }, signal) => {
      const ctx = newest();
      const options = { signal, timeout: answerMsMax, ...(ctx && { relatedRequestId: ctx.mcpReq.id }) };
      return server.request({ method, params }, answerSchema, options);
    },
    onNotification: ({ method, params }) => {
      const ctx = newest();
      const options = ctx && { relatedRequestId: ctx.mcpReq.id };
      void server.notification({ method, params }, options).catch(() => {});
    },
  });
  try {
    return await offers.openSession(caller(), target.serverId, profile);
  } catch (error) {
    const isRefused = error instanceof HestiaError && error.code === 'SERVER_UNAVAILABLE';
    // A server that knows 2026-07-28 only asks for input in its results, which the session that all clients share passes on.
    if (isRefused && !target.isLegacy) return undefined;
    throw error;
  }
}

const answerSchema = z.looseObject({});

/** Sets the log level of a session. A server that refuses keeps its own. */
export async function sendLevel(session: ServerSession, level: string): Promise<void> {
  const signal = AbortSignal.timeout(levelMsMax);
  await session.request({ method: 'logging/setLevel', params: { level }, signal }).catch(() => undefined);
}

/** How long a server may take to set its log level, in milliseconds. */
const levelMsMax = 10_000;
