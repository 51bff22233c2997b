/** Errors that answer requests to upstream servers other than tool calls. */
import { type ErrorCode, HestiaError } from '../../shapes/error.ts';
import type { ToolErrorType } from '../../shapes/tool.ts';
import { type CallFailure, protocolErrorOf } from '../call/failure.ts';

const errors: Record<ToolErrorType, { code: ErrorCode; message: string }> = {
  tool_error: { code: 'UPSTREAM_FAILED', message: 'the server answered with an error' },
  invalid_arguments: { code: 'INVALID_ARGUMENTS', message: 'the server refused the parameters' },
  invalid_tool_schema: { code: 'UPSTREAM_FAILED', message: 'the server answered with an error' },
  server_unavailable: { code: 'SERVER_UNAVAILABLE', message: 'the server is not connected; see its status' },
  login_required: { code: 'LOGIN_REQUIRED', message: 'the server requires a login' },
  connection_lost: { code: 'UPSTREAM_FAILED', message: 'the connection to the server was lost during the request' },
  upstream_error: { code: 'UPSTREAM_FAILED', message: 'the server answered with an error' },
  invalid_response: { code: 'UPSTREAM_FAILED', message: 'the server answered with something that is not a result' },
  response_too_large: { code: 'RESPONSE_TOO_LARGE', message: "the server's response is over the limit" },
  timeout: { code: 'TIMEOUT', message: 'the server did not answer in time' },
  cancelled: { code: 'ABANDONED', message: 'the request was cancelled' },
  shutdown: { code: 'SHUTTING_DOWN', message: 'the hub shut down during the request' },
  internal: { code: 'INTERNAL', message: 'the request failed inside the hub' },
};

/** The error that answers a failed request. If the server answered with one, it is part of it. */
export function offerError(failure: CallFailure): HestiaError {
  if (failure.cause instanceof HestiaError) return failure.cause;
  const { code, message: text } = errors[failure.errorType];
  const { loginCommand } = failure.upstream ?? {};
  const message = loginCommand === undefined ? text : `${text}; run: ${loginCommand}`;
  return new HestiaError(code, message, {
    upstream: protocolErrorOf(failure),
    ...(failure.cause !== undefined && { cause: failure.cause }),
  });
}
