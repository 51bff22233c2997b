/**
 * The HTTP+SSE transport of MCP (2024-11-05), an adapter in front of a Streamable HTTP endpoint. GET opens the stream of
 * events of a session, POST sends a message to it.
 */
import { ProtocolError } from '@modelcontextprotocol/server';
import type { HeldResults } from '../../flow/held-results.ts';
import type { Caller } from '../../shapes/access.ts';
import type { Log } from '../../telemetry/log.ts';
import { jsonRpcRefusal, tooManyStreams } from '../refusal.ts';
import type { StreamPlaces } from '../request/stream-places.ts';
import type { SseEndpoint } from './endpoint-client.ts';
import { createSseSession, type SseSession } from './session.ts';

/** The transport; it holds its sessions until their clients disconnect. */
export interface SseTransport {
  /** Answers a GET or a POST at the path of the transport, in front of this endpoint. */
  handle(request: Request, caller: Caller, endpoint: SseEndpoint): Promise<Response>;
  /** Ends all sessions. */
  close(): void;
}

/** Dependencies of the transport. */
export interface SseTransportDeps {
  /** Each session takes a place of a stream. */
  streamPlaces: StreamPlaces;
  results: HeldResults;
  log: Log;
}

/** The query parameter of the message URL that names the session. */
const sessionParameter = 'sessionId';

/** Creates the transport, without sessions. */
export function createSseTransport({ streamPlaces, results, log }: SseTransportDeps): SseTransport {
  const sessions = new Map<string, SseSession>();

  function open(request: Request, caller: Caller, endpoint: SseEndpoint): Response {
    const giveBack = streamPlaces.take(caller);
    if (giveBack === undefined) return tooManyStreams();
    const { pathname } = new URL(request.url);
    const session = createSseSession({
      caller,
      endpoint,
      url: request.url,
      messagePath: (id) => `${pathname}?${sessionParameter}=${id}`,
      results,
      onEnded: (reason) => {
        sessions.delete(session.id);
        giveBack();
        log.debug('A session of HTTP+SSE has ended', { reason });
      },
    });
    sessions.set(session.id, session);
    return session.open(request.signal);
  }

  function post(request: Request, caller: Caller): Response | Promise<Response> {
    const id = new URL(request.url).searchParams.get(sessionParameter);
    if (id === null) return refusal(400, 'this is the HTTP+SSE transport: open a stream with GET here, or use /mcp');
    const session = sessions.get(id);
    if (session === undefined || session.caller.keyId !== caller.keyId) {
      return refusal(404, 'no session of this id is open; open a stream with GET');
    }
    return session.post(request, caller);
  }

  return {
    handle: async (request, caller, endpoint) => {
      if (request.method === 'GET') return open(request, caller, endpoint);
      return request.method === 'POST' ? post(request, caller) : refusal(405, 'only GET and POST are served here');
    },
    close: () => {
      for (const session of [...sessions.values()]) session.end('shutdown');
    },
  };
}

function refusal(status: 400 | 404 | 405, message: string): Response {
  const code = { 400: 'INVALID_REQUEST', 404: 'NOT_FOUND', 405: 'METHOD_NOT_ALLOWED' }[status];
  return jsonRpcRefusal(status, new ProtocolError(-32000, message, { code }));
}
