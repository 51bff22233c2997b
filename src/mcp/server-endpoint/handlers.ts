/** Answers the requests of a client at the endpoint of one server or of all. */
import { ProtocolError, type Result, type ServerCapabilities, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ServerSession } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { Log } from '../../telemetry/log.ts';
import type { HubTools } from '../hub-tools.ts';
import type { LegacySessions } from '../legacy-session.ts';
import type { ToolInvocation } from '../meta-tools.ts';
import type { ClientDeclaration } from '../request/client-declaration.ts';
import { listPage } from '../request/list-page.ts';
import { progressRelay } from '../request/tool-calls.ts';
import { endpointError, endpointFailure } from './endpoint-error.ts';
import type { EndpointOffers, OfferListKind, TargetedRequest } from './endpoint-offers.ts';
import { readableEntry, readableResult, readableTool } from './readable-offer.ts';

/** Dependencies of the handlers. */
export interface HandlersDeps {
  endpoint: EndpointOffers;
  tools: Pick<HubTools, 'call'>;
  calls: LegacySessions;
  log: Log;
}

/** One request of a client. */
export interface EndpointRequest {
  caller: Caller;
  sessionId: string | undefined;
  protocolVersion: string | undefined;
  /** Aborts when the client disconnects. */
  signal: AbortSignal;
  /** Of a client of 2026-07-28. */
  client: ClientDeclaration | undefined;
  /** The session of the client with the server, if it has one. */
  via?: ServerSession | undefined;
  /** Ends the response without an answer, as if the client had disconnected. */
  end: () => void;
}

/** The methods of each capability. */
const methodsOf: Readonly<Record<string, readonly string[]>> = {
  tools: ['tools/list', 'tools/call'],
  prompts: ['prompts/list', 'prompts/get'],
  resources: ['resources/list', 'resources/templates/list', 'resources/read'],
  completions: ['completion/complete'],
};

/** The methods that an endpoint with these capabilities has. */
export function endpointMethods(capabilities: ServerCapabilities): ReadonlySet<string> {
  return new Set(Object.keys(capabilities).flatMap((capability) => methodsOf[capability] ?? []));
}

const listParamsSchema = z.looseObject({ cursor: z.string().optional() });
const callParamsSchema = z.looseObject({ name: z.string() });

/** Answers a request. @throws ProtocolError */
export function answerRequest(
  deps: HandlersDeps,
  message: TargetedRequest,
  ctx: ServerContext,
  request: EndpointRequest,
): Promise<Result> {
  const onProgress = progressRelay(ctx);
  return answering(deps, ctx, request, (signal) => performRequest(deps, message, request, { signal, onProgress }));
}

/** Does the work of a request, which its client may cancel. @throws ProtocolError */
export async function answering(
  { calls, log }: Pick<HandlersDeps, 'calls' | 'log'>,
  { mcpReq }: ServerContext,
  { caller, sessionId, signal, end }: EndpointRequest,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const client = AbortSignal.any([mcpReq.signal, signal]);
  const call = calls.open({ keyId: caller.keyId, sessionId, requestId: mcpReq.id }, client);
  try {
    return await work(call.signal);
  } catch (error) {
    throw endpointError(error, log);
  } finally {
    if (call.signal.aborted) end();
    call.close();
  }
}

/**
 * Does the work of a request over a session of its client with the server. Where the server is down, the work goes on without a
 * session, and its failure is recorded as any other.
 * @returns for a tool the failure as its result, if the client may have no session
 */
export async function overSession<Session>(
  { method, log }: { method: string; log: Log },
  open: () => Promise<Session | undefined>,
  work: (session: Session | undefined) => Promise<Result>,
): Promise<Result> {
  let session: Session | undefined;
  try {
    session = await open();
  } catch (error) {
    const isDown = error instanceof HestiaError && error.code === 'SERVER_UNAVAILABLE';
    if (!isDown && method === 'tools/call') return endpointFailure(error, log);
    if (!isDown) throw error;
  }
  return work(session);
}

/** Sends a request to its server, or lists what the endpoint offers. */
export async function performRequest(
  { endpoint, tools }: Pick<HandlersDeps, 'endpoint' | 'tools'>,
  { method, params }: TargetedRequest,
  { caller, client, protocolVersion, via }: Pick<EndpointRequest, 'caller' | 'client' | 'protocolVersion' | 'via'>,
  { signal, onProgress }: { signal: AbortSignal; onProgress: ToolInvocation['onProgress'] },
): Promise<Result> {
  const options = { signal, onProgress, client, via };
  const list = (kind: OfferListKind) => listOffers(endpoint, { caller, kind, signal }, params);
  switch (method) {
    case 'tools/list': {
      const { cursor } = parsed(listParamsSchema, params);
      const page = listPage(await endpoint.tools(caller, via), { nameOf: ({ name }) => name, cursor });
      return { tools: page.items.map(readableTool), ...next(page.nextCursor) };
    }
    case 'tools/call': {
      const { name } = parsed(callParamsSchema, params);
      const invocation = { caller, protocolVersion, ...options };
      return tools.call({ name, arguments: params.arguments }, invocation);
    }
    case 'prompts/list':
      return list('prompts');
    case 'resources/list':
      return list('resources');
    case 'resources/templates/list':
      return list('templates');
    case 'prompts/get':
    case 'resources/read':
    case 'completion/complete':
      return readableResult(method, await endpoint.request(caller, { method, params: withoutMeta(params) }, options));
    default:
      throw new ProtocolError(-32601, 'Method not found');
  }
}

const listFields = {
  prompts: { field: 'prompts', key: 'name' },
  resources: { field: 'resources', key: 'uri' },
  templates: { field: 'resourceTemplates', key: 'uriTemplate' },
} as const;

async function listOffers(
  endpoint: EndpointOffers,
  { caller, kind, signal }: { caller: Caller; kind: OfferListKind; signal: AbortSignal },
  params: JsonObject,
): Promise<Result> {
  const { cursor } = parsed(listParamsSchema, params);
  const { field, key } = listFields[kind];
  const entries = await endpoint.list(caller, kind, signal);
  const page = listPage(entries, { nameOf: (entry) => String(entry[key]), cursor });
  const readable = page.items.flatMap((entry) => readableEntry(kind, entry) ?? []);
  return { [field]: readable, ...next(page.nextCursor) };
}

function next(nextCursor: string | undefined): { nextCursor?: string } {
  return nextCursor === undefined ? {} : { nextCursor };
}

function withoutMeta({ _meta, ...params }: JsonObject): JsonObject {
  return params;
}

/** @throws ProtocolError -32602 */
function parsed<Schema extends z.ZodType>(schema: Schema, params: JsonObject): z.output<Schema> {
  const result = schema.safeParse(params);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ProtocolError(-32602, `params.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}`);
}
