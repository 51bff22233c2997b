/**
 * Errors of opening a session with an upstream server, reduced to codes that are safe to log. Of the library's error
 * only the type, the HTTP status, the JSON-RPC code and the operating system's code are kept, no text of the upstream.
 */
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { systemErrorCode } from '../flow/system-error.ts';
import type { ServerErrorType } from '../shapes/server.ts';

/** Codes that explain the error type. */
export interface SessionFailureDetail {
  httpStatus?: number;
  /** An error code of the operating system, such as `ENOENT` or `ECONNREFUSED`. */
  systemCode?: string;
  jsonRpcCode?: number;
}

/** A failed attempt to open a session or to list its tools. */
export class SessionFailure extends Error {
  override readonly name = 'SessionFailure';
  readonly errorType: ServerErrorType;
  readonly detail: SessionFailureDetail;

  constructor(errorType: ServerErrorType, detail: SessionFailureDetail = {}) {
    super(errorType);
    this.errorType = errorType;
    this.detail = detail;
  }
}

/** Translates an error that the library threw while connecting. */
export function connectFailure(error: unknown): SessionFailure {
  const detail = failureDetail(error);
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new SessionFailure('connect_timeout', detail);
  }
  const isSpawnError =
    error instanceof Error && 'syscall' in error && typeof error.syscall === 'string' && /^spawn/.test(error.syscall);
  return new SessionFailure(isSpawnError ? 'spawn_failed' : 'connect_failed', detail);
}

/** Translates an error that the library threw while listing tools. If the connection closed, it was lost. */
export function listFailure(error: unknown): SessionFailure {
  if (error instanceof SessionFailure) return error;
  const isLost = error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed;
  return new SessionFailure(isLost ? 'connection_lost' : 'list_failed', failureDetail(error));
}

const causesMax = 5;

function failureDetail(error: unknown): SessionFailureDetail {
  let current = error;
  for (let causes = 0; causes < causesMax && current instanceof Error; causes += 1) {
    if (current instanceof SdkHttpError) return { httpStatus: current.status };
    if (current instanceof ProtocolError) return { jsonRpcCode: current.code };
    const systemCode = 'errno' in current ? systemErrorCode(current) : undefined;
    if (systemCode !== undefined) return { systemCode };
    current = current.cause;
  }
  return {};
}
