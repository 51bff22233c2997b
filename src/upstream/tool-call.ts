/**
 * One call of one tool over one session: sent, answered, checked, or failed in our words. Results pass through intact;
 * they are checked for being a result at all and for their size, not against the tool's output schema.
 */
import type { CallToolRequestOptions } from '@modelcontextprotocol/client';
import type { Config } from '../shapes/configuration/config.ts';
import { isJsonObject, type JsonObject } from '../shapes/json.ts';
import type { ToolDefinition, ToolProgress, ToolResult } from '../shapes/tool.ts';
import { callFailure, UpstreamCallError } from './call-failure.ts';
import { resultFault } from './response-limits.ts';
import type { Session } from './session.ts';

/** A call for an upstream server. */
export interface UpstreamCall {
  toolName: string;
  arguments: JsonObject;
  /** `params._meta` as it is to be sent; `traceparent` in it becomes a header too, over HTTP. */
  meta?: JsonObject | undefined;
  /** Ends the call; the server is told. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** What a call is made with. */
export interface ToolCallDeps {
  session: Session;
  /** The tool as listed; its input schema says which arguments are mirrored as `Mcp-Param-…` headers. */
  definition: ToolDefinition | undefined;
  limits: Config['limits'];
}

/** The library's own timeout must never end a call: its deadline is the caller's signal. Milliseconds beyond the longest. */
const timeoutMarginMs = 60_000;

type CallParams = { name: string; arguments: JsonObject; _meta?: JsonObject };

/**
 * Calls the tool.
 * @throws UpstreamCallError, and nothing else; it holds nothing that came from the upstream but a JSON-RPC code.
 */
export async function callTool(call: UpstreamCall, deps: ToolCallDeps): Promise<ToolResult> {
  const { client, era } = deps.session;
  const progressToken = call.onProgress === undefined ? undefined : client.listenToProgress(call.onProgress);
  const meta = progressToken === undefined ? call.meta : { ...call.meta, progressToken };
  const params = {
    name: call.toolName,
    arguments: call.arguments,
    ...(meta === undefined ? {} : { _meta: meta }),
  };
  let answer: unknown;
  try {
    answer = await sendCall(params, call.signal, deps);
  } catch (error) {
    throw call.signal.aborted ? new UpstreamCallError('cancelled') : callFailure(error, era === 'modern');
  } finally {
    if (progressToken !== undefined) client.endProgress(progressToken);
  }
  const fault = resultFault(answer, deps.limits.responseBytesMax);
  if (fault !== undefined) {
    throw new UpstreamCallError(fault === 'too_large' ? 'response_too_large' : 'invalid_response');
  }
  return toolResult(answer);
}

/**
 * Sends the request. Only since 2026 are there headers that mirror arguments, for which the library reads the tool's schema;
 * to all other servers the request goes as it is.
 */
function sendCall(params: CallParams, signal: AbortSignal, { session, definition, limits }: ToolCallDeps) {
  const options: CallToolRequestOptions = { signal, timeout: limits.callTimeoutMsMax + timeoutMarginMs };
  if (session.era !== 'modern') return session.client.request({ method: 'tools/call', params }, options);
  if (definition === undefined) return session.client.callTool(params, options);
  const inputSchema = { ...definition.inputSchema, type: 'object' as const };
  return session.client.callTool(params, { ...options, toolDefinition: { name: definition.toolName, inputSchema } });
}

/** The answer as a tool result; only its outermost structure is checked. @throws UpstreamCallError invalid_response */
function toolResult(answer: unknown): ToolResult {
  const invalid = () => new UpstreamCallError('invalid_response');
  if (!isJsonObject(answer)) throw invalid();
  const { content, structuredContent, isError = false, _meta } = answer;
  // A server may leave out the content only where there is structured content instead.
  if (content === undefined && structuredContent === undefined) throw invalid();
  if (content !== undefined && !isContent(content)) throw invalid();
  if (typeof isError !== 'boolean' || (_meta !== undefined && !isJsonObject(_meta))) throw invalid();
  return {
    content: content ?? [],
    isError,
    ...(structuredContent !== undefined && { structuredContent }),
    ...(_meta !== undefined && { _meta }),
  };
}

function isContent(value: unknown): value is JsonObject[] {
  return Array.isArray(value) && value.every(isJsonObject);
}
