/**
 * A tool call over a session: sends the request and checks the result. Results pass through unchanged. Their outermost
 * structure and their size are checked, but not the tool's output schema.
 */
import type { CallToolRequestOptions } from '@modelcontextprotocol/client';
import type { Config } from '../shapes/configuration/config.ts';
import { hasRawNumber, isJsonObject, type JsonObject, withPlainNumbers } from '../shapes/json.ts';
import type { ToolDefinition, ToolProgress, ToolResult } from '../shapes/tool.ts';
import { callFailure, UpstreamCallError } from './call-failure.ts';
import { resultFault } from './response-limits.ts';
import type { Session } from './session.ts';

/** A call of an upstream tool. */
export interface UpstreamCall {
  toolName: string;
  arguments: JsonObject;
  /** `params._meta` of the request. Over HTTP its `traceparent` is sent as a header too. */
  meta?: JsonObject | undefined;
  /** Cancels the call, of which the server is notified. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** Dependencies of a call. */
export interface ToolCallDeps {
  session: Session;
  /** The tool as listed. Its input schema names the arguments to mirror as `Mcp-Param-…` headers. */
  definition: ToolDefinition | undefined;
  limits: Config['limits'];
}

/** Milliseconds that the library's timeout exceeds the longest call, so that only the caller's signal ends a call. */
const timeoutMarginMs = 60_000;

type CallParams = { name: string; arguments: JsonObject; _meta?: JsonObject };

/**
 * Calls the tool.
 * @throws UpstreamCallError, and nothing else. Of the upstream it contains at most a JSON-RPC error code.
 */
export async function callTool(call: UpstreamCall, deps: ToolCallDeps): Promise<ToolResult> {
  const { client, era } = deps.session;
  const progressToken = call.onProgress === undefined ? undefined : client.addProgressListener(call.onProgress);
  const meta = progressToken === undefined ? call.meta : { ...call.meta, progressToken };
  const params = {
    name: call.toolName,
    arguments: call.arguments,
    ...(meta === undefined ? {} : { _meta: meta }),
  };
  let result: unknown;
  try {
    result = await sendCall(params, call.signal, deps);
  } catch (error) {
    throw call.signal.aborted ? new UpstreamCallError('cancelled') : callFailure(error, era === 'modern');
  } finally {
    if (progressToken !== undefined) client.removeProgressListener(progressToken);
  }
  const fault = resultFault(result, deps.limits.responseBytesMax);
  if (fault !== undefined) {
    throw new UpstreamCallError(fault === 'too_large' ? 'response_too_large' : 'invalid_response');
  }
  return toolResult(result);
}

/**
 * Sends the request. Since protocol 2026-07-28 headers mirror arguments. The library derives them from the tool's
 * schema. For earlier protocols the request needs no schema.
 */
function sendCall(
  params: CallParams,
  signal: AbortSignal,
  { session, definition, limits }: ToolCallDeps,
): Promise<unknown> {
  if (session.call !== undefined) return session.call(params, signal);
  const options: CallToolRequestOptions = { signal, timeout: limits.callTimeoutMsMax + timeoutMarginMs };
  if (session.era !== 'modern') return session.client.request({ method: 'tools/call', params }, options);
  if (definition === undefined) return session.client.callTool(params, options);
  const inputSchema = { ...definition.inputSchema, type: 'object' as const };
  // The library cannot write long integers into headers.
  const isMirrored = hasRawNumber(params.arguments) && JSON.stringify(inputSchema).includes('x-mcp-header');
  const sent = isMirrored ? { ...params, arguments: withPlainNumbers(params.arguments) } : params;
  return session.client.callTool(sent, { ...options, toolDefinition: { name: definition.toolName, inputSchema } });
}

/**
 * Checks the outermost structure of a tool result. Fields that MCP does not define are kept. A field that is null is absent:
 * some servers write what they do not have as null.
 * @throws UpstreamCallError invalid_response
 */
function toolResult(result: unknown): ToolResult {
  const invalid = () => new UpstreamCallError('invalid_response');
  if (!isJsonObject(result)) throw invalid();
  const { content, structuredContent, isError, _meta, resultType: _resultType, ...rest } = result;
  // A server may omit the content only if there is structured content.
  if (isAbsent(content) && structuredContent === undefined) throw invalid();
  if (!isAbsent(content) && !isContent(content)) throw invalid();
  if (!isAbsent(isError) && typeof isError !== 'boolean') throw invalid();
  if (!isAbsent(_meta) && !isJsonObject(_meta)) throw invalid();
  return {
    ...rest,
    content: content ?? [],
    isError: isError ?? false,
    ...(structuredContent !== undefined && { structuredContent }),
    ...(_meta && { _meta }),
  };
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isContent(value: unknown): value is JsonObject[] {
  return Array.isArray(value) && value.every(isJsonObject);
}
