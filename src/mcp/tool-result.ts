/**
 * Results and errors as MCP. The failure of a tool is a result with `isError`, which a model reads (SEP-1303). A failure of
 * the protocol or of the hub is a JSON-RPC error.
 */
import { type CallToolResult, ProtocolError } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { type ErrorCode, exhaustionError, HestiaError } from '../shapes/error.ts';
import { zodViolations } from '../shapes/violation.ts';
import type { Log } from '../telemetry/log.ts';
import { passedThrough } from './passed-result.ts';
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
  LOGIN_REQUIRED: -32603,
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
  const known = error instanceof HestiaError ? error : exhaustionError(error);
  if (known !== undefined) {
    logFailure(known, log);
    return new ProtocolError(jsonRpcCodes[known.code], withViolations(known), codeAndViolations(known));
  }
  log.error('A request failed', { code: 'INTERNAL' }, { error });
  return new ProtocolError(jsonRpcCodes.INTERNAL, 'the hub failed; the trace leads to the cause', { code: 'INTERNAL' });
}

/** The key in `_meta` of a failed result: its error code, and its violations if it has any. */
export const errorMetaKey = 'hestia/error';

/** Failures that no model can act on: of the hub itself, and of a call that its client has given up. */
const protocolFailures: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'ABANDONED']);

/** The result of a tool that failed. @throws the error, if it is one of the protocol */
export function failedResult(error: unknown, log: Log): CallToolResult {
  if (!(error instanceof HestiaError) || protocolFailures.has(error.code)) throw error;
  logFailure(error, log);
  return passedThrough({
    content: [{ type: 'text', text: withViolations(error) }, ...error.content],
    isError: true,
    _meta: { [errorMetaKey]: codeAndViolations(error) },
  });
}

function logFailure(error: HestiaError, log: Log): void {
  if (error.code === 'INTERNAL' || error.code === 'STORAGE_FAILED')
    log.error('A request failed', { code: error.code }, { error });
}

function codeAndViolations({ code, violations }: HestiaError) {
  return { code, ...(violations.length > 0 && { violations }) };
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

/** The message with all violations: models read the message only. */
function withViolations(error: HestiaError): string {
  const named = error.violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return named === '' ? error.message : `${error.message}: ${named}`;
}
