/** Classification of failed calls: outcome, error type, and the error returned to the caller. */
import { type ErrorCode, HestiaError, type UpstreamProtocolError, type Violation } from '../../shapes/error.ts';
import type { Outcome } from '../../shapes/event.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolErrorType } from '../../shapes/tool.ts';
import { type UpstreamAnswer, UpstreamCallError } from '../../upstream/call-failure.ts';
import type { EndReason } from './deadline.ts';

/** A call without a result. */
export interface CallFailure {
  outcome: Exclude<Outcome, 'success'>;
  errorType: ToolErrorType;
  violations?: Violation[];
  /** The error that the server answered with, if it did. */
  upstream?: UpstreamAnswer;
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
    case 'credential':
      return { outcome: 'abandoned', errorType: 'cancelled', cause: credentialEnded() };
    case 'shutdown':
      return { outcome: 'error', errorType: 'shutdown' };
    case undefined:
      break;
    default:
      reason satisfies never;
  }
  if (error instanceof UpstreamCallError) {
    const isOurs = isEnding && (error.errorType === 'connection_lost' || error.errorType === 'server_unavailable');
    if (isOurs) return { outcome: 'error', errorType: 'shutdown' };
    const errorType = error.jsonRpcCode === invalidParams ? 'invalid_arguments' : error.errorType;
    return { outcome: 'error', errorType, upstream: error.answer() };
  }
  // A result that is dropped since its client reads too slowly says nothing about the tool.
  if (error instanceof HestiaError && error.code === 'OVERLOADED') {
    return { outcome: 'abandoned', errorType: 'cancelled', cause: error };
  }
  return { outcome: 'error', errorType: 'internal', cause: error };
}

function credentialEnded(): HestiaError {
  return new HestiaError('UNAUTHENTICATED', 'the call was cancelled: its key was revoked, or its key or token expired');
}

/** The code with which a server says that the mistake is the caller's (JSON-RPC 2.0, section 5.1). */
const invalidParams = -32_602;

const errors: Record<ToolErrorType, { code: ErrorCode; message: string }> = {
  tool_error: { code: 'UPSTREAM_FAILED', message: 'the tool reported an error' },
  invalid_arguments: { code: 'INVALID_ARGUMENTS', message: "the arguments do not fit the tool's schema" },
  invalid_tool_schema: {
    code: 'INVALID_TOOL_SCHEMA',
    message: 'the tool cannot be called: the arguments cannot be checked against its input schema',
  },
  server_unavailable: { code: 'SERVER_UNAVAILABLE', message: 'the server is not connected; see its status' },
  login_required: { code: 'LOGIN_REQUIRED', message: 'the server requires a login' },
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

/** The call that failed: its server, and its deadline with the longest one that a caller can set, in milliseconds. */
export interface FailedCall {
  serverId: string;
  timeoutMs: number;
  timeoutMsMax: number;
}

/** The error that answers a failed call. A model reads it, so the message says what can be done. */
export function callError(failure: CallFailure, call: FailedCall): HestiaError {
  if (failure.cause instanceof HestiaError) return failure.cause;
  const { code } = errors[failure.errorType];
  const { text } = failure.upstream ?? {};
  return new HestiaError(code, failureMessage(failure, call), {
    upstream: protocolErrorOf(failure),
    ...(failure.violations && { violations: failure.violations }),
    ...(text !== undefined && text !== '' && { content: [upstreamBlock(call.serverId, text)] }),
    ...(failure.cause !== undefined && { cause: failure.cause }),
  });
}

/** The JSON-RPC error of the server, if it answered with one. */
export function protocolErrorOf({ upstream }: CallFailure): UpstreamProtocolError | undefined {
  if (upstream?.jsonRpcCode === undefined) return undefined;
  const { jsonRpcCode, text = '', data } = upstream;
  return { jsonRpcCode, text, data };
}

/** The key in `_meta` of a content block whose text is that of an upstream server. */
export const serverMetaKey = 'hestia/server_id';

function upstreamBlock(serverId: string, text: string): JsonObject {
  return { type: 'text', text, _meta: { [serverMetaKey]: serverId } };
}

function failureMessage({ errorType, upstream = {} }: CallFailure, { timeoutMs, timeoutMsMax }: FailedCall): string {
  const isRefusedByServer = errorType === 'invalid_arguments' && upstream.jsonRpcCode !== undefined;
  const message = isRefusedByServer ? 'the server refused the arguments' : errors[errorType].message;
  if (errorType === 'timeout') return `${message} (${timeoutMs} ms; the longest deadline is ${timeoutMsMax} ms)`;
  const { jsonRpcCode, httpStatus, loginCommand, text } = upstream;
  if (loginCommand !== undefined) return `${message}; run: ${loginCommand}`;
  const what = [
    ...(jsonRpcCode !== undefined ? [`JSON-RPC code ${jsonRpcCode}`] : []),
    ...(httpStatus !== undefined ? [`HTTP status ${httpStatus}`] : []),
    ...(text !== undefined && text !== '' ? ['the text of the server follows'] : []),
  ];
  return what.length === 0 ? message : `${message} (${what.join('; ')})`;
}
