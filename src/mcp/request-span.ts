/**
 * The span and the duration of one MCP request. Both follow the MCP and GenAI semantic conventions: the parent comes from
 * `params._meta`, and the HTTP span is linked.
 */
import { ProtocolError } from '@modelcontextprotocol/server';
import { type Span, SpanKind } from '@opentelemetry/api';
import type { JsonObject } from '../shapes/json.ts';
import { printable, truncated } from '../shapes/text.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { ambientSpanContext, remoteContext } from '../telemetry/propagation.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';

/** Dependencies of {@link traceRequest}. */
export interface RequestSpanDeps {
  metrics: Metrics;
  agentId: string;
}

/** The parts of a request that its span and its metric describe. */
export interface TracedRequest {
  method: string;
  /** The called tool; undefined where it does not exist, so that signals do not repeat unknown names. */
  toolName: string | undefined;
  /** The JSON-RPC id. */
  id: string | number;
  /** The protocol revision that the request names; ignored unless it is text. */
  protocolVersion: unknown;
  /** `params._meta`, which may carry a W3C trace context. */
  meta: Parameters<typeof remoteContext>[0];
}

/** The end of a request: its result, or the error that answers it. */
export type RequestEnding<Result extends JsonObject, Failure = unknown> = { result: Result } | { error: Failure };

/** Longest text that a span takes from a request, in UTF-16 units. */
const textLengthMax = 64;

/** Handles a request inside its span, and returns how it ended. `handle` never throws. */
export async function traceRequest<Result extends JsonObject, Failure>(
  { metrics, agentId }: RequestSpanDeps,
  request: TracedRequest,
  handle: () => Promise<RequestEnding<Result, Failure>>,
): Promise<RequestEnding<Result, Failure>> {
  const startedAt = performance.now();
  const { method, toolName } = request;
  const parent = remoteContext(request.meta);
  const ambient = parent && ambientSpanContext();
  const options = {
    kind: SpanKind.SERVER,
    attributes: requestAttributes(agentId, request),
    ...(parent && { parent }),
    ...(ambient && { links: [{ context: ambient }] }),
  };
  return inSpan(toolName === undefined ? method : `${method} ${toolName}`, options, async (span) => {
    const ending = await handle();
    const errorType = errorTypeOf(method, ending);
    if (errorType !== undefined) markFailed(span, errorType);
    metrics.mcpServerOperation((performance.now() - startedAt) / 1000, { method, toolName, errorType });
    return ending;
  });
}

function errorTypeOf(method: string, ending: RequestEnding<JsonObject>): string | undefined {
  if ('error' in ending) return ending.error instanceof ProtocolError ? String(ending.error.code) : '_OTHER';
  return method === 'tools/call' && ending.result.isError === true ? 'tool_error' : undefined;
}

function markFailed(span: Span, errorType: string): void {
  failSpan(span, errorType);
  if (/^-?\d+$/.test(errorType)) span.setAttribute(attributes.rpcStatusCode, errorType);
}

function requestAttributes(agentId: string, { method, toolName, id, protocolVersion }: TracedRequest) {
  return {
    [attributes.mcpMethodName]: method,
    [attributes.jsonrpcRequestId]: printable(truncated(String(id), textLengthMax)),
    [attributes.networkTransport]: 'tcp',
    [attributes.genAiAgentId]: agentId,
    ...(toolName !== undefined && {
      [attributes.genAiToolName]: toolName,
      [attributes.genAiOperationName]: 'execute_tool',
    }),
    ...(typeof protocolVersion === 'string' && {
      [attributes.mcpProtocolVersion]: printable(truncated(protocolVersion, textLengthMax)),
    }),
  };
}
