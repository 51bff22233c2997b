/**
 * A span and a duration around one MCP request, whichever way it is handled: MCP and GenAI conventions, the parent taken
 * from `params._meta`, the HTTP span linked.
 */
import { ProtocolError } from '@modelcontextprotocol/server';
import { type Span, SpanKind } from '@opentelemetry/api';
import type { JsonObject } from '../shapes/json.ts';
import { printable, truncated } from '../shapes/text.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { ambientSpanContext, remoteContext } from '../telemetry/propagation.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';

/** What watching a request needs. */
export interface WatchedRequestDeps {
  metrics: Metrics;
  agentId: string;
}

/** One request as its signals tell of it. */
export interface WatchedRequest {
  method: string;
  /** The tool that is called, where it is one that exists. */
  toolName: string | undefined;
  /** The JSON-RPC id. */
  id: string | number;
  /** The revision that the request claims, if it is a text. */
  protocolVersion: unknown;
  /** `params._meta`, which may carry a W3C trace context. */
  meta: Parameters<typeof remoteContext>[0];
}

/** Longest text of a caller's own on a span, in UTF-16 units. */
const requestIdLengthMax = 64;

/** Handles the request inside its span; what `handle` throws is passed on unchanged. */
export async function watchRequest<T extends JsonObject>(
  { metrics, agentId }: WatchedRequestDeps,
  request: WatchedRequest,
  handle: () => Promise<T>,
): Promise<T> {
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
  let errorType: string | undefined;
  try {
    return await inSpan(toolName === undefined ? method : `${method} ${toolName}`, options, async (span) => {
      try {
        const result = await handle();
        if (method === 'tools/call' && result.isError === true) errorType = 'tool_error';
        return result;
      } catch (error) {
        errorType = error instanceof ProtocolError ? String(error.code) : '_OTHER';
        throw error;
      } finally {
        if (errorType !== undefined) markFailed(span, errorType);
      }
    });
  } finally {
    metrics.mcpServerOperation((performance.now() - startedAt) / 1000, { method, toolName, errorType });
  }
}

function markFailed(span: Span, errorType: string): void {
  failSpan(span, errorType);
  if (/^-?\d+$/.test(errorType)) span.setAttribute(attributes.rpcStatusCode, errorType);
}

function requestAttributes(agentId: string, { method, toolName, id, protocolVersion }: WatchedRequest) {
  return {
    [attributes.mcpMethodName]: method,
    [attributes.jsonrpcRequestId]: printable(truncated(String(id), requestIdLengthMax)),
    [attributes.networkTransport]: 'tcp',
    [attributes.genAiAgentId]: agentId,
    ...(toolName !== undefined && {
      [attributes.genAiToolName]: toolName,
      [attributes.genAiOperationName]: 'execute_tool',
    }),
    ...(typeof protocolVersion === 'string' && {
      [attributes.mcpProtocolVersion]: printable(truncated(protocolVersion, requestIdLengthMax)),
    }),
  };
}
