/** The sessions of 2025-era clients at the endpoint of a server, by their ids. Their number is shared out by key. */
import { ProtocolError, type ServerEvent } from '@modelcontextprotocol/server';
import type { FairBudget } from '../../flow/fair-budget.ts';
import type { Caller } from '../../shapes/access.ts';
import { isJsonObject } from '../../shapes/json.ts';
import { jsonRpcRefusal } from '../refusal.ts';
import type { StreamOptions } from '../request/stream-places.ts';
import { cancelCall, sessionHeader } from '../request/tool-calls.ts';
import { type ClientSession, type ClientSessionDeps, createClientSession } from './client-session.ts';
import type { EndpointFace } from './endpoint-offers.ts';

/** The sessions of one endpoint. */
export interface ClientSessions {
  /** The session that a request names; undefined if it names none, `unknown` for one that is not of this key or has ended. */
  find(request: Request, caller: Caller): ClientSession | 'unknown' | undefined;
  /** Answers the request with which a client begins a session. */
  open(request: Request, caller: Caller, face: EndpointFace, body: unknown): Promise<Response>;
  handle(session: ClientSession, request: Request, body: unknown, options?: StreamOptions): Promise<Response>;
  /** Reports a change to the sessions of callers that it concerns. */
  notify(concerns: (caller: Caller) => boolean, event: ServerEvent): void;
  close(): Promise<void>;
}

/** Dependencies of the sessions. */
export type ClientSessionsDeps = Omit<ClientSessionDeps, 'face' | 'onEnded'>;

/** Creates the register. Each session takes a place of the budget. */
export function createClientSessions(deps: ClientSessionsDeps, places: FairBudget): ClientSessions {
  const sessions = new Map<string, ClientSession>();
  const handle: ClientSessions['handle'] = (session, request, body, options) => {
    if (isJsonObject(body) && body.method === 'notifications/cancelled') {
      cancelCall(deps.calls, request, session.caller, body.params);
    }
    return session.handle(request, body, options);
  };
  return {
    find: (request, { keyId }) => {
      const id = request.headers.get(sessionHeader);
      if (id === null) return undefined;
      const session = sessions.get(id);
      return session?.caller.keyId === keyId ? session : 'unknown';
    },
    open: async (request, caller, face, body) => {
      const { keyId, role } = caller;
      if (places.take(keyId, 1, { isPrivileged: role === 'operator' }) !== undefined) return tooManySessions();
      const onEnded = () => {
        sessions.delete(session.id);
        places.give(keyId, 1);
      };
      const session = await createClientSession({ ...deps, face, onEnded }, caller);
      sessions.set(session.id, session);
      const response = await session.handle(request, body);
      if (!response.ok) await session.end();
      return response;
    },
    handle,
    notify: (concerns, event) => {
      for (const session of sessions.values()) if (concerns(session.caller)) session.notify(event);
    },
    close: async () => {
      await Promise.all([...sessions.values()].map((session) => session.end()));
    },
  };
}

/** Seconds after which a client may ask for a session again. */
const retryAfterSeconds = 5;

function tooManySessions(): Response {
  const message = 'too many sessions are open, or this key has its share of them; see limits.clientSessionsMax';
  const refusal = jsonRpcRefusal(503, new ProtocolError(-32603, message, { code: 'OVERLOADED' }));
  refusal.headers.set('retry-after', String(retryAfterSeconds));
  return refusal;
}
