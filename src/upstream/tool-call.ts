/**
 * A tool call over a session: sends the request and checks the result. Results pass through unchanged. Their outermost
 * structure and their size are checked, but not the tool's output schema.
 */
import { hasRawNumber, isJsonObject, type JsonObject, withPlainNumbers } from '../shapes/json.ts';
import { mirrorsArguments, type ToolDefinition, type ToolResult } from '../shapes/tool.ts';
import { UpstreamCallError } from './call-failure.ts';
import { type ExchangeDeps, type ExchangeOptions, exchange, type SendOptions } from './request/exchange.ts';

/** A call of an upstream tool. */
export interface UpstreamCall extends ExchangeOptions {
  toolName: string;
  arguments: JsonObject;
}

/** Dependencies of a call. */
export interface ToolCallDeps extends ExchangeDeps {
  /** The tool as listed. Its input schema names the arguments to mirror as `Mcp-Param-…` headers. */
  definition: ToolDefinition | undefined;
}

/**
 * Calls the tool.
 * @throws UpstreamCallError, and nothing else. Of the upstream it contains at most an answer to be passed on.
 */
export async function callTool(call: UpstreamCall, deps: ToolCallDeps): Promise<ToolResult> {
  const { toolName: name, arguments: args } = call;
  const result = await exchange({ name, arguments: args }, call, deps, (params, options) =>
    sendCall(params, options, deps),
  );
  return toolResult(result);
}

type CallParams = { name: string; arguments: JsonObject; _meta?: JsonObject };

/**
 * Sends the request. Since protocol 2026-07-28 headers mirror arguments. The library derives them from the tool's
 * schema. For earlier protocols the request needs no schema.
 */
function sendCall(params: CallParams, options: SendOptions, { session, definition }: ToolCallDeps): Promise<unknown> {
  if (session.call !== undefined) return session.call(params, options.signal);
  if (session.era !== 'modern') return session.client.request({ method: 'tools/call', params }, options);
  if (definition === undefined) return session.client.callTool(params, options);
  const inputSchema = { ...definition.inputSchema, type: 'object' as const };
  // The library cannot write long integers into headers.
  const isMirrored = hasRawNumber(params.arguments) && mirrorsArguments(definition.inputSchema);
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
  if (result.resultType === 'input_required') return inputRequiredResult(result);
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

/** The result of a server that needs input of the client first (multi-round-trip requests). */
function inputRequiredResult({ inputRequests, requestState, _meta }: JsonObject): ToolResult {
  const inputRequired = {
    ...(isJsonObject(inputRequests) && { inputRequests }),
    ...(typeof requestState === 'string' && { requestState }),
  };
  return { content: [], isError: false, inputRequired, ...(isJsonObject(_meta) && { _meta }) };
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isContent(value: unknown): value is JsonObject[] {
  return Array.isArray(value) && value.every(isJsonObject);
}
