/**
 * One call of one tool over one session: sent, answered, checked, or failed in our words. Results pass through intact;
 * they are checked for being a result at all and for their size, not against the tool's output schema.
 */
import type { CallToolRequestOptions } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Config } from '../shapes/configuration/config.ts';
import { type JsonObject, jsonObjectSchema } from '../shapes/json.ts';
import type { ToolDefinition, ToolProgress, ToolResult } from '../shapes/tool.ts';
import { resultFault } from './byte-limit.ts';
import { callFailure, UpstreamCallError } from './call-failure.ts';
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

const resultSchema = z.object({
  content: z.array(jsonObjectSchema).optional(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
  _meta: jsonObjectSchema.optional(),
});

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

function toolResult(answer: unknown): ToolResult {
  const parsed = resultSchema.safeParse(answer);
  if (!parsed.success) throw new UpstreamCallError('invalid_response');
  const { content, structuredContent, isError, _meta: meta } = parsed.data;
  // A server may leave out the content only where there is structured content instead.
  if (content === undefined && structuredContent === undefined) throw new UpstreamCallError('invalid_response');
  return {
    content: content ?? [],
    isError: isError ?? false,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(meta === undefined ? {} : { meta }),
  };
}
