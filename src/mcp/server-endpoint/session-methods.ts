/** The methods of a session of a 2025-era client at the endpoint of a server. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type JSONRPCRequest,
  ProtocolError,
  type Result,
  type ServerContext,
  type WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ServerSession } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { type ClientDeclaration, declarationOf } from '../request/client-declaration.ts';
import { versionHeader } from '../request/tool-calls.ts';
import type { TracedServer } from '../traced-server.ts';
import type { ClientChannel } from './client-channel.ts';
import { endpointError } from './endpoint-error.ts';
import type { EndpointFace } from './endpoint-offers.ts';
import { answerRequest, endpointMethods, type HandlersDeps, overSession } from './handlers.ts';

/** The parts of a session that its methods use. */
export interface SessionParts {
  id: string;
  channel: ClientChannel;
  subscriptions: Map<string, () => void>;
  caller: () => Caller;
  transport: WebStandardStreamableHTTPServerTransport;
}

function declaredBy(server: TracedServer, { mcpReq }: ServerContext): ClientDeclaration {
  const requestState = mcpReq.requestState();
  return declarationOf({
    _meta: { [CLIENT_CAPABILITIES_META_KEY]: server.getClientCapabilities() },
    ...(mcpReq.inputResponses !== undefined && { inputResponses: mcpReq.inputResponses }),
    ...(requestState !== undefined && { requestState }),
  });
}

/** The most subscriptions of one session. */
const subscriptionsMax = 100;

const uriParamsSchema = z.looseObject({ uri: z.string().max(4096) });

/** Dependencies of the methods. */
export interface SessionMethodsDeps extends HandlersDeps {
  face: EndpointFace;
}

/** Registers the methods of a session: those of every endpoint, and those that need a session. */
export function handleSessionMethods(deps: SessionMethodsDeps, server: TracedServer, parts: SessionParts): void {
  const { face, log } = deps;
  const { channel } = parts;
  const { resources, logging } = face.capabilities;
  const methods = new Set(endpointMethods(face.capabilities));
  if (resources?.subscribe === true) for (const method of subscriptionMethods) methods.add(method);
  server.passThrough(methods, async (message, ctx) => {
    try {
      return subscriptionMethods.has(message.method)
        ? await changeSubscription(deps, parts, message, ctx.mcpReq.signal)
        : await answerInSession(deps, server, parts, { message, ctx });
    } catch (error) {
      throw endpointError(error, log);
    }
  });
  if (logging !== undefined) {
    server.setRequestHandler('logging/setLevel', async ({ params: { level } }, { mcpReq }) => {
      try {
        await channel.setLevel(level, mcpReq.signal);
        return {};
      } catch (error) {
        throw endpointError(error, log);
      }
    });
  }
  server.setNotificationHandler('notifications/roots/list_changed', channel.rootsChanged);
}

const subscriptionMethods: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe']);

async function answerInSession(
  deps: SessionMethodsDeps,
  server: TracedServer,
  { id, channel, caller, transport }: SessionParts,
  { message, ctx }: { message: JSONRPCRequest; ctx: ServerContext },
): Promise<Result> {
  const signal = ctx.http?.req?.signal ?? new AbortController().signal;
  const { method, params = {} } = message;
  const protocolVersion = ctx.http?.req?.headers.get(versionHeader) ?? undefined;
  const end = () => transport.closeSSEStream(ctx.mcpReq.id);
  const answer = (via: ServerSession | undefined) => {
    // A server of 2026-07-28 asks for input in its result. The SDK then asks the client, and repeats the request.
    const client = via === undefined && channel.isNeeded() ? declaredBy(server, ctx) : undefined;
    const request = { caller: caller(), sessionId: id, protocolVersion, signal, client, via, end };
    return channel.running(ctx, () => answerRequest(deps, { method, params }, ctx, request));
  };
  return overSession({ method, log: deps.log }, () => channel.session({ method, params }, signal), answer);
}

async function changeSubscription(
  { endpoint }: SessionMethodsDeps,
  { subscriptions, channel, caller }: SessionParts,
  { method, params }: JSONRPCRequest,
  signal: AbortSignal,
): Promise<Result> {
  const parsed = uriParamsSchema.safeParse(params);
  if (!parsed.success) throw new ProtocolError(-32602, 'params.uri: must be the URI of a resource');
  const { uri } = parsed.data;
  if (method === 'resources/unsubscribe') {
    subscriptions.get(uri)?.();
    subscriptions.delete(uri);
    return {};
  }
  if (subscriptions.has(uri)) return {};
  if (subscriptions.size >= subscriptionsMax) {
    throw new HestiaError('OVERLOADED', `${subscriptionsMax} resources are subscribed to, the most of one session`);
  }
  const via = await channel.session({ method, params: { uri } }, signal);
  subscriptions.set(uri, await endpoint.subscribe(caller(), uri, via));
  return {};
}
