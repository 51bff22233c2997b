/**
 * Answers requests of clients of 2026-07-28 to servers of the 2025 protocols. Such a server asks its client for input by a
 * request of its own; the client gets it in a result, and answers by repeating its request (decision 19).
 */
import { LOG_LEVEL_META_KEY, ProtocolError, type Result, type ServerContext } from '@modelcontextprotocol/server';
import type { OfferingServer } from '../../domain/server-offers.ts';
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { Caller } from '../../shapes/access.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { type ClientDeclaration, capabilitiesOf } from '../request/client-declaration.ts';
import { progressRelay } from '../request/tool-calls.ts';
import { isAskable } from './client-profile.ts';
import type { TargetedRequest } from './endpoint-offers.ts';
import { answering, type EndpointRequest, type HandlersDeps, overSession, performRequest } from './handlers.ts';
import type { Borrower, LentSessions } from './lent-sessions.ts';
import { type OpenRequest, openRequest } from './open-request.ts';

/** The requests of clients, and those that go on over several of them. */
export interface InputRounds {
  /** Whether the server of a request may ask this client for input by a request of its own. */
  concern(caller: Caller, request: TargetedRequest, client: ClientDeclaration, signal: AbortSignal): Promise<boolean>;
  /** Answers a request. @throws ProtocolError */
  answer(message: TargetedRequest, ctx: ServerContext, request: EndpointRequest): Promise<Result>;
  /** Ends the requests that wait for their clients. */
  close(): void;
}

/** Dependencies of the rounds. */
export interface InputRoundsDeps extends HandlersDeps {
  sessions: LentSessions;
  /** Milliseconds. */
  limits: { callTimeoutMsMax: number };
}

/** A request that goes on, and whose it is. */
interface Waiting {
  keyId: string;
  method: string;
  target: unknown;
  open: OpenRequest;
}

/** The most requests of one endpoint that wait for their clients. A further one ends that which has waited for longest. */
const waitingMax = 1024;

/** Creates the rounds; nothing waits. */
export function createInputRounds(deps: InputRoundsDeps): InputRounds {
  const waiting = new BoundedMap<string, Waiting>(waitingMax);
  const parts = { ...deps, waiting };
  return {
    concern: async (caller, request, client, signal) =>
      isHeard(client) && (await askingServer(deps, caller, request, { client, signal })) !== undefined,
    answer: (message, ctx, request) =>
      answering(deps, ctx, request, async (signal) => {
        const again = repeated(waiting, message, request);
        if (again !== undefined) return again.next(ctx, signal);
        const { caller, client } = request;
        const server = client && (await askingServer(deps, caller, message, { client, signal }));
        if (client === undefined || server === undefined) {
          return performRequest(deps, message, request, { signal, onProgress: progressRelay(ctx) });
        }
        if (client.retry.requestState !== undefined) {
          throw new ProtocolError(
            -32602,
            'params.requestState: is unknown or has expired; send the request without it',
          );
        }
        const borrower = { caller, serverId: server.serverId, ...heardBy(client, server) };
        return message.method === 'tools/list'
          ? listed(parts, message, request, { borrower, signal })
          : beginRequest(parts, message, request, { borrower, ctx }).next(ctx, signal);
      }),
    close: () => {
      for (const [, { open }] of [...waiting]) open.abort();
    },
  };
}

type Parts = InputRoundsDeps & { waiting: BoundedMap<string, Waiting> };

/** The methods whose results may require input (2026-07-28), and the list that depends on the capabilities of the client. */
const methods: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'tools/list']);

/** Whether the client declares what a server needs a session of its own for. */
function isHeard(client: ClientDeclaration): boolean {
  return isAskable(capabilitiesOf(client)) || client.meta[LOG_LEVEL_META_KEY] !== undefined;
}

/** The server of a request, if it has requests or log messages of its own for this client. */
async function askingServer(
  { endpoint }: InputRoundsDeps,
  caller: Caller,
  request: TargetedRequest,
  { client, signal }: { client: ClientDeclaration; signal: AbortSignal },
): Promise<OfferingServer | undefined> {
  if (!isHeard(client) || !methods.has(request.method)) return undefined;
  const server = await endpoint.serverOf(caller, request, signal);
  if (server?.isLegacy !== true) return undefined;
  const { capabilities, level } = heardBy(client, server);
  return isAskable(capabilities) || level !== undefined ? server : undefined;
}

/** What the client declares, as far as the server has a use for it. */
function heardBy(client: ClientDeclaration, server: OfferingServer): Pick<Borrower, 'capabilities' | 'level'> {
  const level = client.meta[LOG_LEVEL_META_KEY];
  const hasLog = typeof level === 'string' && isJsonObject(server.capabilities.logging);
  return { capabilities: capabilitiesOf(client), level: hasLog ? level : undefined };
}

/** The request that a client repeats. @throws ProtocolError -32602 for a state that is not known */
function repeated(
  waiting: BoundedMap<string, Waiting>,
  { method, params }: TargetedRequest,
  { caller, client }: EndpointRequest,
): OpenRequest | undefined {
  const { requestState, inputResponses } = client?.retry ?? {};
  const found = typeof requestState === 'string' ? waiting.get(requestState) : undefined;
  if (found === undefined) return undefined;
  if (found.keyId !== caller.keyId || found.method !== method || found.target !== targetOf(params)) {
    throw new ProtocolError(-32602, 'params.requestState: is not that of this request');
  }
  found.open.accept(inputResponses);
  return found.open;
}

function targetOf({ name, uri }: JsonObject): unknown {
  return name ?? uri;
}

/** The list, as the server has it for clients with these capabilities. */
async function listed(
  { sessions, ...deps }: Parts,
  message: TargetedRequest,
  request: EndpointRequest,
  { borrower, signal }: { borrower: Omit<Borrower, 'listener'>; signal: AbortSignal },
): Promise<Result> {
  const lent = await sessions.lend({ ...borrower, listener: undefined }).catch(() => undefined);
  try {
    return await performRequest(deps, message, { ...request, via: lent?.session }, { signal, onProgress: undefined });
  } finally {
    lent?.release();
  }
}

/** Begins a request over a session with the server that belongs to it until its end. */
function beginRequest(
  { sessions, waiting, ...deps }: Parts,
  message: TargetedRequest,
  request: EndpointRequest,
  { borrower, ctx }: { borrower: Omit<Borrower, 'listener'>; ctx: ServerContext },
): OpenRequest {
  const { keyId } = request.caller;
  const hasProgress = progressRelay(ctx) !== undefined;
  const { method, params } = message;
  const open = openRequest({
    method,
    answerMsMax: deps.limits.callTimeoutMsMax,
    onClosed: () => waiting.delete(open.state),
    work: ({ listener, signal, onProgress }) =>
      overSession(
        { method, log: deps.log },
        () => sessions.lend({ ...borrower, listener }),
        async (lent) => {
          try {
            const running = { signal, onProgress: hasProgress ? onProgress : undefined };
            return await performRequest(deps, message, { ...request, via: lent?.session }, running);
          } finally {
            lent?.release();
          }
        },
      ),
  });
  const evicted = waiting.set(open.state, { keyId, method, target: targetOf(params), open });
  evicted?.[1].open.abort();
  return open;
}
