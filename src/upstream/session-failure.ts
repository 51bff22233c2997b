/**
 * Errors of opening a session with an upstream server, reduced to codes that are safe to log. Of the library's error
 * only the type, the HTTP status, the JSON-RPC code and the operating system's code are kept, no text of the upstream.
 */
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { systemErrorCode } from '../flow/system-error.ts';
import type { ServerErrorType, ServerFailure } from '../shapes/server.ts';
import { LoginRequiredError } from './oauth/login-error.ts';

/** What explains the error type: codes, and for a child process its end. */
export interface SessionFailureDetail extends Omit<ServerFailure, 'stderrLines'> {
  /** The last lines of standard error, printable and truncated. The array may change. They are never logged again. */
  stderrLines?: readonly string[];
  /** True if the connection was closed because of a message over the limit. */
  isMessageTooLarge?: boolean;
  /** True if the server refused a request for want of a login. */
  isLoginRequired?: boolean;
}

/** A failure of opening a session, of listing its tools, or of a session that was open. */
export class SessionFailure extends Error {
  override readonly name = 'SessionFailure';
  readonly errorType: ServerErrorType;
  readonly detail: SessionFailureDetail;
  /** True if a child process exited when it was probed for its protocol. It may accept the handshake of 2025. */
  readonly exitedWhenProbed: boolean;

  constructor(errorType: ServerErrorType, detail: SessionFailureDetail = {}, exitedWhenProbed = false) {
    super(errorType);
    this.errorType = errorType;
    this.detail = detail;
    this.exitedWhenProbed = exitedWhenProbed;
  }
}

/** Translates an error that the library threw while connecting. `detail` is that of the channel, after it was closed. */
export function connectFailure(error: unknown, channelDetail: SessionFailureDetail): SessionFailure {
  const detail = { ...channelDetail, ...failureDetail(error) };
  if (detail.isMessageTooLarge) return new SessionFailure('message_too_large', detail);
  if (detail.isLoginRequired) return new SessionFailure('login_required', detail);
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new SessionFailure('connect_timeout', detail);
  }
  const isSpawnError =
    error instanceof Error && 'syscall' in error && typeof error.syscall === 'string' && /^spawn/.test(error.syscall);
  if (isSpawnError) return new SessionFailure('spawn_failed', detail);
  const hasExited = detail.exitCode !== undefined || detail.exitSignal !== undefined;
  const isProbe = error instanceof SdkError && error.code === SdkErrorCode.EraNegotiationFailed;
  return new SessionFailure('connect_failed', detail, hasExited && isProbe);
}

/** Translates an error that the library threw while listing tools. If the connection closed, it was lost. */
export function listFailure(error: unknown, channelDetail: SessionFailureDetail = {}): SessionFailure {
  if (error instanceof SessionFailure) return error;
  const detail = { ...channelDetail, ...failureDetail(error) };
  if (detail.isLoginRequired) return new SessionFailure('login_required', detail);
  const isLost = error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed;
  return isLost ? lossFailure(detail) : new SessionFailure('list_failed', detail);
}

/** The failure of a session that has ended. */
export function lossFailure(detail: SessionFailureDetail): SessionFailure {
  return new SessionFailure(detail.isMessageTooLarge ? 'message_too_large' : 'connection_lost', detail);
}

/** The fields of a failure in the log. Text of the server is left out. */
export function failureFields({ errorType, detail }: SessionFailure): Record<string, string | number | undefined> {
  return {
    error_type: errorType,
    http_status: detail.httpStatus,
    system_code: detail.systemCode,
    json_rpc_code: detail.jsonRpcCode,
    exit_code: detail.exitCode,
    exit_signal: detail.exitSignal,
  };
}

/** What a status shows of the detail; undefined if nothing is known. */
export function shownFailure({
  isMessageTooLarge: _,
  isLoginRequired: _login,
  stderrLines,
  ...codes
}: SessionFailureDetail): ServerFailure | undefined {
  const failure = {
    ...codes,
    ...(stderrLines !== undefined && stderrLines.length > 0 && { stderrLines: [...stderrLines] }),
  };
  return Object.keys(failure).length > 0 ? failure : undefined;
}

/** HTTP statuses that stay until a person changes something: credentials, permissions or the URL. */
const permanentStatuses = new Set([401, 403, 405, 410]);
/** System codes of a program that cannot be started until it is installed or its path is corrected. */
const permanentCodes = new Set(['ENOENT', 'EACCES', 'ENOTDIR', 'ENOEXEC', 'E2BIG']);

/** True for a failure that repeats until a person changes something, so that a quick retry is useless. */
export function isPermanent({ errorType, detail }: SessionFailure): boolean {
  if (errorType === 'login_required') return true;
  if (errorType === 'spawn_failed') return detail.systemCode !== undefined && permanentCodes.has(detail.systemCode);
  return detail.httpStatus !== undefined && permanentStatuses.has(detail.httpStatus);
}

const causesMax = 5;

function failureDetail(error: unknown): SessionFailureDetail {
  let current = error;
  for (let causes = 0; causes < causesMax && current instanceof Error; causes += 1) {
    if (current instanceof LoginRequiredError) return { httpStatus: current.httpStatus, isLoginRequired: true };
    if (current instanceof SdkHttpError) return { httpStatus: current.status };
    if (current instanceof ProtocolError) return { jsonRpcCode: current.code };
    const systemCode = 'errno' in current ? systemErrorCode(current) : undefined;
    if (systemCode !== undefined) return { systemCode };
    current = current.cause;
  }
  return {};
}
