/** Classification of failed calls: outcome, error type, and the error returned to the caller. */
import { type ErrorCode, HestiaError, type Violation } from '../../shapes/error.ts';
import type { Outcome } from '../../shapes/event.ts';
import type { ToolErrorType } from '../../shapes/tool.ts';
import { UpstreamCallError } from '../../upstream/call-failure.ts';
import type { EndReason } from './deadline.ts';

/** A call without a result. */
export interface CallFailure {
  outcome: Exclude<Outcome, 'success'>;
  errorType: ToolErrorType;
  violations?: Violation[];
  cause?: unknown;
}

/**
 * Classifies a failure. Where the hub ended the call, its reason takes precedence over the error that followed. A
 * connection lost during the hub's shutdown counts as shutdown: Ctrl-C in a terminal reaches the child processes too.
 */
export function classifyFailure(error: unknown, reason: EndReason | undefined, isEnding: boolean): CallFailure {
  switch (reason) {
    case 'timeout':
      return { outcome: 'timeout', errorType: 'timeout' };
    case 'caller':
      return { outcome: 'abandoned', errorType: 'cancelled' };
    case 'shutdown':
      return { outcome: 'error', errorType: 'shutdown' };
    case undefined:
      break;
    default:
      reason satisfies never;
  }
  if (error instanceof UpstreamCallError) {
    const isOurs = isEnding && (error.errorType === 'connection_lost' || error.errorType === 'server_unavailable');
    return { outcome: 'error', errorType: isOurs ? 'shutdown' : error.errorType };
  }
  return { outcome: 'error', errorType: 'internal', cause: error };
}

const errors: Record<ToolErrorType, { code: ErrorCode; message: string }> = {
  tool_error: { code: 'UPSTREAM_FAILED', message: 'the tool reported an error' },
  invalid_arguments: { code: 'INVALID_ARGUMENTS', message: "the arguments do not fit the tool's schema" },
  invalid_tool_schema: {
    code: 'INVALID_TOOL_SCHEMA',
    message: 'the tool cannot be called: its input schema is not valid JSON Schema',
  },
  server_unavailable: { code: 'SERVER_UNAVAILABLE', message: 'the server is not connected; see its status' },
  connection_lost: { code: 'UPSTREAM_FAILED', message: 'the connection to the server was lost during the call' },
  upstream_error: { code: 'UPSTREAM_FAILED', message: 'the server answered with an error' },
  invalid_response: {
    code: 'UPSTREAM_FAILED',
    message: 'the server answered with something that is not a tool result',
  },
  response_too_large: { code: 'RESPONSE_TOO_LARGE', message: "the tool's response is over the limit" },
  timeout: { code: 'TIMEOUT', message: 'the tool did not answer in time' },
  cancelled: { code: 'ABANDONED', message: 'the call was cancelled' },
  shutdown: { code: 'SHUTTING_DOWN', message: 'the hub shut down during the call' },
  internal: { code: 'INTERNAL', message: 'the call failed inside the hub' },
};

/** The error that answers a failed call. */
export function callError(failure: CallFailure, timeoutMs: number): HestiaError {
  if (failure.cause instanceof HestiaError) return failure.cause;
  const { code, message } = errors[failure.errorType];
  const text = failure.errorType === 'timeout' ? `${message} (${timeoutMs} ms)` : message;
  return new HestiaError(code, text, {
    ...(failure.violations && { violations: failure.violations }),
    ...(failure.cause !== undefined && { cause: failure.cause }),
  });
}
