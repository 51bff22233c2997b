/**
 * The short way of a `tools/call`: a request that needs nothing of a stream is judged, called and answered as one JSON
 * message, without a server of the SDK's for it. Whatever is unusual about a request is the SDK's to judge.
 */
import {
  classifyInboundRequest,
  isJsonContentType,
  PROTOCOL_VERSION_META_KEY,
  type ProtocolError,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../shapes/json.ts';

/** A call that may take the short way. */
export interface DirectCall {
  id: string | number;
  toolName: string;
  arguments: JsonObject | undefined;
  /** `params._meta` as it was sent. */
  meta: JsonObject | undefined;
  /** The revision that the request claims for itself (2026-07-28 and later); undefined for 2025-era clients. */
  revision: string | undefined;
}

/** How a direct call ended. */
export type DirectEnding = { result: JsonObject } | { error: ProtocolError };

/** The revision whose requests carry their own envelope, and whose results say that they are complete. */
const modernRevision = '2026-07-28';

const jsonObjectSchema = z.custom<JsonObject>(isJsonObject);

const callSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.int()]),
  method: z.literal('tools/call'),
  params: z.strictObject({
    name: z.string(),
    arguments: jsonObjectSchema.optional(),
    _meta: jsonObjectSchema.optional(),
  }),
});

/**
 * The call in the body of a POST, where it may be answered as one JSON message: a single well-formed `tools/call` of
 * a revision that is served, whose client takes JSON and asks for no progress. Undefined for all else.
 */
export function directCall(body: unknown, headers: Headers): DirectCall | undefined {
  const parsed = callSchema.safeParse(body);
  if (!parsed.success || !takesJson(headers)) return undefined;
  const { id, params } = parsed.data;
  const { name: toolName, arguments: args, _meta: meta } = params;
  if (meta !== undefined && 'progressToken' in meta) return undefined;
  const call = { id, toolName, arguments: args, meta };
  if (meta === undefined || !(PROTOCOL_VERSION_META_KEY in meta)) {
    return isServedLegacy(headers) ? { ...call, revision: undefined } : undefined;
  }
  return isServedModern(body, toolName, headers) ? { ...call, revision: modernRevision } : undefined;
}

/** The JSON-RPC message that answers a call; `serverInfo` is named in results of the revisions that want it. */
export function directAnswer(
  { id, revision }: DirectCall,
  ending: DirectEnding,
  serverInfo: { name: string; version: string },
): string {
  if ('error' in ending) {
    const { code, message, data } = ending.error;
    return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } });
  }
  const { result } = ending;
  if (revision === undefined) return JSON.stringify({ result, jsonrpc: '2.0', id });
  const meta = { ...(isJsonObject(result._meta) && result._meta), [SERVER_INFO_META_KEY]: serverInfo };
  return JSON.stringify({ result: { ...result, resultType: 'complete', _meta: meta }, jsonrpc: '2.0', id });
}

function takesJson(headers: Headers): boolean {
  const accept = headers.get('accept') ?? '';
  const takesBoth = accept.includes('application/json') && accept.includes('text/event-stream');
  return takesBoth && isJsonContentType(headers.get('content-type'));
}

function isServedLegacy(headers: Headers): boolean {
  const named = headers.get('mcp-protocol-version');
  return named === null || SUPPORTED_PROTOCOL_VERSIONS.includes(named);
}

/** The envelope and the headers that mirror it, as the SDK checks them; a name in another spelling is left to it. */
function isServedModern(body: unknown, toolName: string, headers: Headers): boolean {
  const protocolVersionHeader = headers.get('mcp-protocol-version');
  const mcpMethodHeader = headers.get('mcp-method');
  if (protocolVersionHeader === null || mcpMethodHeader === null || headers.get('mcp-name') !== toolName) return false;
  const route = classifyInboundRequest({ httpMethod: 'POST', protocolVersionHeader, mcpMethodHeader, body });
  return route.kind === 'modern' && route.classification.revision === modernRevision;
}
