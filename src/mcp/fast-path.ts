/**
 * The fast path of `tools/call`: which requests take it, and their response. A plain call is answered with one JSON message,
 * without a server of the SDK. Every other request, also an invalid one, is left to the SDK.
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
import type { RequestEnding } from './request-span.ts';

/** A call that takes the fast path. */
export interface PlainCall {
  id: string | number;
  toolName: string;
  arguments: JsonObject | undefined;
  /** `params._meta` as it was sent. */
  meta: JsonObject | undefined;
  /** The protocol revision that the request names (2026-07-28 and later); undefined for 2025-era clients. */
  revision: string | undefined;
}

/** The revision whose requests carry an envelope in `_meta`, and whose results have a `resultType`. */
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
 * The call in the body of a POST, where one JSON message can answer it: a single well-formed `tools/call` of a supported
 * revision, whose client accepts JSON and requests no progress. Undefined for every other body.
 */
export function plainCall(body: unknown, headers: Headers): PlainCall | undefined {
  const parsed = callSchema.safeParse(body);
  if (!parsed.success || !acceptsJson(headers)) return undefined;
  const { id, params } = parsed.data;
  const { name: toolName, arguments: args, _meta: meta } = params;
  if (meta !== undefined && 'progressToken' in meta) return undefined;
  const call = { id, toolName, arguments: args, meta };
  if (meta === undefined || !(PROTOCOL_VERSION_META_KEY in meta)) {
    return isSupportedLegacy(headers) ? { ...call, revision: undefined } : undefined;
  }
  return isSupportedModern(body, toolName, headers) ? { ...call, revision: modernRevision } : undefined;
}

/** The JSON-RPC message that answers a call; results of 2026-07-28 name the server in `_meta`. */
export function plainCallResponse(
  { id, revision }: PlainCall,
  ending: RequestEnding<JsonObject, ProtocolError>,
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

function acceptsJson(headers: Headers): boolean {
  const accept = headers.get('accept') ?? '';
  const takesBoth = accept.includes('application/json') && accept.includes('text/event-stream');
  return takesBoth && isJsonContentType(headers.get('content-type'));
}

function isSupportedLegacy(headers: Headers): boolean {
  const named = headers.get('mcp-protocol-version');
  return named === null || SUPPORTED_PROTOCOL_VERSIONS.includes(named);
}

/** Checks the envelope and the headers that mirror it as the SDK does; a name in another spelling is left to the SDK. */
function isSupportedModern(body: unknown, toolName: string, headers: Headers): boolean {
  const protocolVersionHeader = headers.get('mcp-protocol-version');
  const mcpMethodHeader = headers.get('mcp-method');
  if (protocolVersionHeader === null || mcpMethodHeader === null || headers.get('mcp-name') !== toolName) return false;
  const route = classifyInboundRequest({ httpMethod: 'POST', protocolVersionHeader, mcpMethodHeader, body });
  return route.kind === 'modern' && route.classification.revision === modernRevision;
}
