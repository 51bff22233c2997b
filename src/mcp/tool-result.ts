/** Results and errors as MCP: structured results, and JSON-RPC errors with an error code in `data`. */
import { type CallToolResult, isCallToolResult, ProtocolError } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { type ErrorCode, HestiaError } from '../shapes/error.ts';
import type { ToolResult } from '../shapes/tool.ts';
import { zodViolations } from '../shapes/violation.ts';
import type { Log } from '../telemetry/log.ts';
import { snakeCaseFields } from './snake-case.ts';

/** The JSON-RPC code of each error code: -32602 where the caller can correct the request, -32001 for a deadline, -32603 for most others. */
const jsonRpcCodes: Record<ErrorCode, number> = {
  INVALID_REQUEST: -32602,
  UNAUTHENTICATED: -32602,
  FORBIDDEN: -32602,
  NOT_FOUND: -32602,
  METHOD_NOT_ALLOWED: -32601,
  CONFLICT: -32602,
  PAYLOAD_TOO_LARGE: -32602,
  UNSUPPORTED_MEDIA_TYPE: -32602,
  INVALID_SKILL: -32602,
  INJECTION_SUSPECTED: -32602,
  INVALID_ARGUMENTS: -32602,
  INVALID_TOOL_SCHEMA: -32603,
  UPSTREAM_FAILED: -32603,
  RESPONSE_TOO_LARGE: -32603,
  SERVER_UNAVAILABLE: -32603,
  STORAGE_FAILED: -32603,
  VIEWS_UNAVAILABLE: -32603,
  SHUTTING_DOWN: -32603,
  RATE_LIMITED: -32603,
  OVERLOADED: -32603,
  ISSUER_UNAVAILABLE: -32603,
  TIMEOUT: -32001,
  ABANDONED: -32000,
  INTERNAL: -32603,
};

/** The JSON-RPC error of a failure. An unexpected error is logged, and its message shows no detail. */
export function protocolError(error: unknown, log: Log): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (error instanceof HestiaError) {
    if (error.code === 'INTERNAL' || error.code === 'STORAGE_FAILED')
      log.error('A request failed', { code: error.code }, { error });
    const violations = error.violations.length > 0 ? { violations: error.violations } : {};
    return new ProtocolError(jsonRpcCodes[error.code], withViolations(error), { code: error.code, ...violations });
  }
  log.error('A request failed', { code: 'INTERNAL' }, { error });
  return new ProtocolError(jsonRpcCodes.INTERNAL, 'the hub failed; the trace leads to the cause', { code: 'INTERNAL' });
}

/** An INVALID_ARGUMENTS error from the zod error of a meta-tool's arguments. */
export function invalidArguments(error: z.core.$ZodError): HestiaError {
  const violations = zodViolations(error, { valueName: 'arguments', prefix: ['arguments'] });
  return new HestiaError('INVALID_ARGUMENTS', 'the arguments do not fit the tool', { violations });
}

/** A result whose structured content is `answer` in snake_case, with the same as text for clients that read only text. */
export function structuredResult(answer: object): CallToolResult {
  const value = snakeCaseFields(answer);
  return { content: [{ type: 'text', text: JSON.stringify(value, null, 2) }], structuredContent: value };
}

/** The result of an upstream server or a skill, unchanged. @throws HestiaError UPSTREAM_FAILED where MCP does not allow it */
export function passedThrough(result: ToolResult): CallToolResult {
  if (isCallToolResult(result)) return result;
  throw new HestiaError('UPSTREAM_FAILED', 'the server answered with something that is not a tool result');
}

/** The message with all violations: models read the message only. */
function withViolations(error: HestiaError): string {
  const named = error.violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return named === '' ? error.message : `${error.message}: ${named}`;
}
