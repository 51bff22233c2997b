/**
 * The fast path of `tools/call`: which requests take it, and their response. A plain call is answered with one JSON message,
 * without a server of the SDK. Every other request, also an invalid one, is left to the SDK.
 */
import {
  classifyInboundRequest,
  isJsonContentType,
  PROTOCOL_VERSION_META_KEY,
  type ProtocolError,
  ProtocolErrorCode,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject } from '../shapes/json.ts';
import type { Answer } from './late-response.ts';
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

const messageMembers: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);
const paramsMembers: ReadonlySet<string> = new Set(['name', 'arguments', '_meta']);

/**
 * The call in the body of a POST, where one JSON message can answer it: a single well-formed `tools/call` of a supported
 * revision, whose client accepts JSON and requests no progress. Undefined for every other body.
 */
export function plainCall(body: unknown, headers: Headers): PlainCall | undefined {
  const call = callOf(body);
  if (call === undefined || !acceptsJson(headers)) return undefined;
  const { toolName, meta } = call;
  if (meta !== undefined && 'progressToken' in meta) return undefined;
  if (meta === undefined || !(PROTOCOL_VERSION_META_KEY in meta)) {
    return isSupportedLegacy(headers) ? { ...call, revision: undefined } : undefined;
  }
  return isSupportedModern(body, toolName, headers) ? { ...call, revision: modernRevision } : undefined;
}

/** The answer to a call; results of 2026-07-28 name the server in `_meta`. */
export function plainCallResponse(
  { id, revision }: PlainCall,
  ending: RequestEnding<JsonObject, ProtocolError>,
  serverInfo: { name: string; version: string },
): Answer {
  if ('error' in ending) {
    const { code, message, data } = ending.error;
    const answer = { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
    const isRefused = revision !== undefined && code === ProtocolErrorCode.MissingRequiredClientCapability;
    return isRefused ? Response.json(answer, { status: 400 }) : JSON.stringify(answer);
  }
  const { result } = ending;
  if (revision === undefined) return JSON.stringify({ result, jsonrpc: '2.0', id });
  const meta = { ...(isJsonObject(result._meta) && result._meta), [SERVER_INFO_META_KEY]: serverInfo };
  return JSON.stringify({ result: { resultType: 'complete', ...result, _meta: meta }, jsonrpc: '2.0', id });
}

/**
 * The `tools/call` that a parsed body is; undefined where a member is missing, unknown or of another type. Written out, because
 * every call passes here and a schema takes five times as long. A test compares both.
 */
export function callOf(body: unknown): Omit<PlainCall, 'revision'> | undefined {
  if (!isJsonObject(body) || !hasOnly(messageMembers, body)) return undefined;
  const { jsonrpc, id, method, params } = body;
  if (jsonrpc !== '2.0' || method !== 'tools/call' || !isRequestId(id)) return undefined;
  if (!isJsonObject(params) || !hasOnly(paramsMembers, params)) return undefined;
  const { name, arguments: args, _meta: meta } = params;
  if (typeof name !== 'string' || !isOptionalObject(args) || !isOptionalObject(meta)) return undefined;
  return { id, toolName: name, arguments: args, meta };
}

function hasOnly(members: ReadonlySet<string>, value: JsonObject): boolean {
  return Object.keys(value).every((name) => members.has(name));
}

function isRequestId(value: unknown): value is string | number {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function isOptionalObject(value: unknown): value is JsonObject | undefined {
  return value === undefined || isJsonObject(value);
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
