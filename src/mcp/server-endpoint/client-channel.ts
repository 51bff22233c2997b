/**
 * The way back from a server to a 2025-era client, over a session of the client with the server. The session
 * is opened when the client first needs it. The server's requests and notifications go to the stream of a running request of the client, if there is one.
 */
import { type ClientCapabilities, ProtocolError, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ServerOffers, ServerSession } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { TracedServer } from '../traced-server.ts';
import type { EndpointOffers } from './endpoint-offers.ts';

/** The way back to one client. */
export interface ClientChannel {
  /** The session with the server; undefined for a client that needs none. @throws HestiaError SERVER_UNAVAILABLE, OVERLOADED */
  session(): Promise<ServerSession | undefined>;
  /** Whether requests of the client go through a session of its own. */
  isNeeded(): boolean;
  /** Sets the log level of the client's session with the server. Opens the session. */
  setLevel(level: string): Promise<void>;
  /** Tells the server of changed roots. */
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

/** Of the notifications of a server those that concern a single client. Others are the same for all clients. */
const passedNotifications: ReadonlySet<string> = new Set([
  'notifications/message',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
  'notifications/tools/list_changed',
]);

/** Creates the channel; no session is open. */
export function createClientChannel(deps: ClientChannelDeps): ClientChannel {
  const { server } = deps;
  const running = new Set<ServerContext>();
  let opening: Promise<ServerSession | undefined> | undefined;
  let opened: ServerSession | undefined;
  let level: string | undefined;
  const isNeeded = () => level !== undefined || hasInput(server.getClientCapabilities());
  const newest = () => [...running].at(-1);
  const open = async () => {
    const session = await openSession(deps, newest);
    opened = session;
    session?.ended.addEventListener('abort', () => {
      opening = undefined;
      opened = undefined;
    });
    if (session !== undefined && level !== undefined) await sendLevel(session, level);
    return session;
  };
  const session = async () => {
    if (!isNeeded()) return undefined;
    opening ??= open();
    try {
      return await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  return {
    session,
    isNeeded,
    setLevel: async (next) => {
      level = next;
      if (opened !== undefined) await sendLevel(opened, next);
      else await session();
    },
    rootsChanged: () => opened?.notify('notifications/roots/list_changed'),
    running: async (ctx, work) => {
      running.add(ctx);
      try {
        return await work();
      } finally {
        running.delete(ctx);
      }
    },
    close: async () => {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}

function hasInput(capabilities: ClientCapabilities | undefined): boolean {
  return ['sampling', 'elicitation', 'roots'].some((name) => capabilities !== undefined && name in capabilities);
}

async function openSession(
  { offers, endpoint, server, caller, answerMsMax }: ClientChannelDeps,
  newest: () => ServerContext | undefined,
): Promise<ServerSession | undefined> {
  const target = await endpoint.sessionServer(caller());
  if (target === undefined) return undefined;
  const { sampling, elicitation, roots } = server.getClientCapabilities() ?? {};
  const capabilities = {
    ...(sampling && { sampling }),
    ...(elicitation && { elicitation }),
    ...(roots && { roots }),
  };
  const asked = new Map<string, unknown>([
    ['sampling/createMessage', sampling],
    ['elicitation/create', elicitation],
    ['roots/list', roots],
  ]);
  const profile: Parameters<ServerOffers['openSession']>[2] = {
    capabilities,
    onRequest: async ({ method, params }, signal) => {
      if (asked.get(method) === undefined) throw new ProtocolError(-32601, 'Method not found');
      const ctx = newest();
      const options = { signal, timeout: answerMsMax, ...(ctx && { relatedRequestId: ctx.mcpReq.id }) };
      return server.request({ method, params: withoutMeta(params) }, answerSchema, options);
    },
    onNotification: ({ method, params }) => {
      if (!passedNotifications.has(method)) return;
      const ctx = newest();
      const options = ctx && { relatedRequestId: ctx.mcpReq.id };
      void server.notification({ method, params }, options).catch(() => {});
    },
  };
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

/** The parameters without progress tokens and trace context of the session with the server. */
function withoutMeta({ _meta, ...params }: JsonObject): JsonObject {
  return params;
}

async function sendLevel(session: ServerSession, level: string): Promise<void> {
  const signal = AbortSignal.timeout(levelMsMax);
  await session.request({ method: 'logging/setLevel', params: { level }, signal }).catch(() => undefined);
}

/** How long a server may take to set its log level, in milliseconds. */
const levelMsMax = 10_000;
