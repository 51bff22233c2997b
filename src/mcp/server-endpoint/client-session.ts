/**
 * A session of a 2025-era client at the endpoint of a server. It holds the streams of the client, its subscriptions and its
 * way back from the server. It ends with its key, when the client ends it, and when it is idle.
 */
import { randomUUID } from 'node:crypto';
import { type ServerEvent, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { ServerOffers } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { boundedStream } from '../bounded-stream.ts';
import { tooManyStreams } from '../refusal.ts';
import { type StreamOptions, type StreamPlaces, takePlace } from '../request/stream-places.ts';
import { TracedMcpServer } from '../traced-server.ts';
import { createClientChannel } from './client-channel.ts';
import type { EndpointFace } from './endpoint-offers.ts';
import type { HandlersDeps } from './handlers.ts';
import { handleSessionMethods } from './session-methods.ts';

/** A session. */
export interface ClientSession {
  readonly id: string;
  /** Who has opened it. */
  readonly caller: Caller;
  /** Whether requests of the client go through a session of its own with the server. */
  hasOwnChannel(): boolean;
  /** Handles a request of the client. `body` is its parsed body. Its stream takes a place. */
  handle(request: Request, body: unknown, options?: StreamOptions): Promise<Response>;
  /** Notes a request that is handled elsewhere, so that the session is not idle. */
  touch(): void;
  notify(event: ServerEvent): void;
  end(): Promise<void>;
}

/** Dependencies of a session. */
export interface ClientSessionDeps extends HandlersDeps {
  offers: ServerOffers;
  metrics: Metrics;
  face: EndpointFace;
  isKnownTool: (caller: Caller, toolName: string) => boolean;
  streamPlaces: StreamPlaces;
  limits: { clientSessionIdleMs: number; callTimeoutMsMax: number };
  /** Called once, when the session has ended. */
  onEnded: () => void;
}

/** Ends a session that is idle: one without a request and without a stream. */
interface IdleTimer {
  touch(): void;
  /**
   * Opens a stream. A client with a stream is not idle; one whose stream was closed opens it again soon, or is gone.
   * @param onEnd called once, when the stream has ended
   */
  openStream(open: () => Promise<Response>, onEnd: () => void): Promise<Response>;
  stop(): void;
}

/** How long a client whose stream was closed may take to open it again, in milliseconds, before it counts as gone. */
const goneAfterMs = 60_000;

function createIdleTimer(idleMsMax: number, end: () => void): IdleTimer {
  let streamsCount = 0;
  let isStopped = false;
  const onIdle = () => (streamsCount > 0 ? touch() : end());
  let timer = setTimeout(onIdle, idleMsMax).unref();
  function touch(idleMs = idleMsMax): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(onIdle, idleMs).unref();
  }
  const onClosed = () => {
    streamsCount -= 1;
    touch(Math.min(goneAfterMs, idleMsMax));
  };
  return {
    touch: () => touch(),
    openStream: async (open, onEnd) => {
      streamsCount += 1;
      return boundedStream(await open(), () => {
        onClosed();
        onEnd();
      });
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Creates the session of a client that is about to initialize. */
export async function createClientSession(deps: ClientSessionDeps, opener: Caller): Promise<ClientSession> {
  const { face, limits } = deps;
  const id = randomUUID();
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
  const { capabilities, info, instructions } = face;
  const mcpServer = new TracedMcpServer(
    info,
    { capabilities, ...(instructions !== undefined && { instructions }) },
    { metrics: deps.metrics, agentId: opener.agentId, isKnownTool: (name) => deps.isKnownTool(opener, name) },
  );
  const { server } = mcpServer;
  const caller = () => opener;
  const channel = createClientChannel({ ...deps, server, caller, answerMsMax: limits.callTimeoutMsMax });
  const subscriptions = new Map<string, () => void>();
  let isEnded = false;
  const end = async () => {
    if (isEnded) return;
    isEnded = true;
    idle.stop();
    opener.ended?.removeEventListener('abort', onKeyEnded);
    for (const release of subscriptions.values()) release();
    deps.onEnded();
    await Promise.allSettled([channel.close(), mcpServer.close()]);
  };
  const onKeyEnded = () => void end();
  const idle = createIdleTimer(limits.clientSessionIdleMs, () => void end());
  opener.ended?.addEventListener('abort', onKeyEnded, { once: true });
  handleSessionMethods(deps, server, { channel, subscriptions, caller, transport, id });
  await mcpServer.connect(transport);
  return {
    id,
    caller: opener,
    hasOwnChannel: channel.isNeeded,
    touch: idle.touch,
    end,
    handle: async (request, body, options) => {
      idle.touch();
      const answering = () => transport.handleRequest(request, { parsedBody: body });
      if (request.method === 'GET') return openStream(takePlace(deps.streamPlaces, opener, options), idle, answering);
      const response = boundedStream(await answering());
      if (request.method === 'DELETE' && response.ok) await end();
      return response;
    },
    notify: (event) => {
      if (event.kind === 'resource_updated' && !subscriptions.has(event.uri)) return;
      void server.notification(notificationOf(event)).catch(() => {});
    },
  };
}

/** Opens the stream of a session, which has a place until it ends; the refusal if it got none. */
async function openStream(
  giveBack: (() => void) | undefined,
  idle: IdleTimer,
  open: () => Promise<Response>,
): Promise<Response> {
  return giveBack === undefined ? tooManyStreams() : idle.openStream(open, giveBack);
}

function notificationOf(event: ServerEvent): { method: string; params?: { uri: string } } {
  switch (event.kind) {
    case 'tools_list_changed':
      return { method: 'notifications/tools/list_changed' };
    case 'prompts_list_changed':
      return { method: 'notifications/prompts/list_changed' };
    case 'resources_list_changed':
      return { method: 'notifications/resources/list_changed' };
    case 'resource_updated':
      return { method: 'notifications/resources/updated', params: { uri: event.uri } };
    default:
      return event satisfies never;
  }
}
