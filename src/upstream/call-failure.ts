/**
 * Errors of calls to upstream servers: a type of the closed list, with a message written by the hub. The upstream's
 * message and data are kept apart, bounded, for the caller alone. Causes are dropped, since they may contain secrets.
 */
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../shapes/json.ts';
import { cleanContent } from '../shapes/text.ts';
import type { ToolErrorType } from '../shapes/tool.ts';
import { loginRequired } from './oauth/login-error.ts';
import { resultFault } from './response-limits.ts';

/** The error types with which a call to an upstream server can fail. */
export type UpstreamErrorType = Extract<
  ToolErrorType,
  | 'server_unavailable'
  | 'login_required'
  | 'connection_lost'
  | 'upstream_error'
  | 'invalid_response'
  | 'response_too_large'
  | 'cancelled'
>;

const messages = {
  server_unavailable: 'the upstream server is not connected',
  login_required: 'the upstream server requires a login',
  connection_lost: 'the connection to the upstream server was lost',
  upstream_error: 'the upstream server answered with an error',
  invalid_response: 'the response of the upstream server is not a tool result',
  response_too_large: 'the response of the upstream server is too large',
  cancelled: 'the call was cancelled',
} as const satisfies Record<UpstreamErrorType, string>;

/** The error that an upstream answered with: its JSON-RPC code and message, or its HTTP status. */
export interface UpstreamAnswer {
  jsonRpcCode?: number;
  httpStatus?: number;
  /** The command that mends a missing login. */
  loginCommand?: string;
  /** Untrusted. It is shown to the caller as content of the server, and nowhere else. */
  text?: string;
  /** `data` of a JSON-RPC error. Untrusted, as the text is. */
  data?: JsonObject;
}

/** The longest message of an upstream that is passed on, in UTF-16 units. */
const textLengthMax = 10_000;
/** The largest `data` of an error that is passed on, in bytes of its JSON. A larger one is left out. */
const dataBytesMax = 65_536;

/** A call that returned no result. `jsonRpcCode` is the error code of the upstream, if it responded with one. */
export class UpstreamCallError extends Error {
  override readonly name = 'UpstreamCallError';
  readonly errorType: UpstreamErrorType;
  readonly jsonRpcCode: number | undefined;
  /** Private, so that no log line and no serialization of the error contains the text of the upstream. */
  readonly #answer: UpstreamAnswer;

  /** True if the server did not know the session, so that it has not run the call. */
  readonly isSessionUnknown: boolean;

  constructor(errorType: UpstreamErrorType, answer: UpstreamAnswer = {}, isSessionUnknown = false) {
    super(messages[errorType]);
    this.isSessionUnknown = isSessionUnknown;
    this.errorType = errorType;
    this.jsonRpcCode = answer.jsonRpcCode;
    this.#answer = answer;
  }

  /** What the upstream answered, with its text cleaned. */
  answer(): UpstreamAnswer {
    const { text, ...rest } = this.#answer;
    return { ...rest, ...(text !== undefined && { text: cleanContent(text, textLengthMax) }) };
  }
}

/** A failure that the transport found for one request. It passes through the SDK as the data of an error response. */
export class RequestFailure {
  readonly errorType: UpstreamErrorType;

  constructor(errorType: UpstreamErrorType) {
    this.errorType = errorType;
  }
}

/** Translates an error thrown by the client library. `modern` is true for sessions of protocol 2026-07-28 and later. */
export function callFailure(error: unknown, modern: boolean): UpstreamCallError {
  if (error instanceof UpstreamCallError) return error;
  const login = loginRequired(error);
  if (login !== undefined) return new UpstreamCallError('login_required', { loginCommand: login.command });
  if (error instanceof ProtocolError) {
    return error.data instanceof RequestFailure
      ? new UpstreamCallError(error.data.errorType)
      : new UpstreamCallError('upstream_error', protocolAnswer(error));
  }
  if (error instanceof SdkHttpError) {
    const { status } = error;
    const text = error.data?.text;
    const answer = { httpStatus: status, ...(typeof text === 'string' && { text }) };
    const isUnknown = !modern && isSessionUnknown(error);
    return new UpstreamCallError(isUnknown ? 'connection_lost' : httpErrorType(status), answer, isUnknown);
  }
  if (error instanceof SdkError) return new UpstreamCallError(sdkErrorType(error.code));
  // The library parses responses with JSON.parse and with zod schemas.
  const unparsable = error instanceof SyntaxError || (error instanceof Error && /ZodError$/.test(error.name));
  return new UpstreamCallError(unparsable ? 'invalid_response' : 'connection_lost');
}

function protocolAnswer({ code, message, data }: ProtocolError): UpstreamAnswer {
  const isPassed = isJsonObject(data) && resultFault(data, dataBytesMax) === undefined;
  return { jsonRpcCode: code, text: message, ...(isPassed && { data }) };
}

/**
 * In the 2025 protocols a 404 says that the session is unknown; older servers send a 400 with a text about the session. In
 * MCP 2026-07-28, which has no sessions, a 404 says that the method is unknown (Streamable HTTP).
 */
function isSessionUnknown({ status, data }: SdkHttpError): boolean {
  const text = data?.text;
  return status === 404 || (status === 400 && typeof text === 'string' && /session|not initialized/i.test(text));
}

function httpErrorType(status: number): UpstreamErrorType {
  return status === 502 || status === 503 || status === 504 ? 'server_unavailable' : 'upstream_error';
}

function sdkErrorType(code: string): UpstreamErrorType {
  switch (code) {
    case SdkErrorCode.InvalidResult:
    case SdkErrorCode.UnsupportedResultType:
    case SdkErrorCode.ClientHttpUnexpectedContent:
      return 'invalid_response';
    default:
      return 'connection_lost';
  }
}
