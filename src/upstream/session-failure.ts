/**
 * Why a session could not be opened, in words and codes that are safe to log: of the error that the library threw,
 * only its kind, its HTTP status and its operating system's code are kept, never a text that came from the upstream.
 */
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { systemErrorCode } from '../flow/system-error.ts';
import type { ServerErrorType } from '../shapes/server.ts';

/** Codes that tell more than the type does. */
export interface SessionFailureDetail {
  httpStatus?: number;
  /** Such as `ENOENT` or `ECONNREFUSED`. */
  systemCode?: string;
  jsonRpcCode?: number;
}

/** An attempt that failed. */
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

/** The failure of connecting, from what the library threw. */
export function connectFailure(error: unknown): SessionFailure {
  const detail = failureDetail(error);
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    return new SessionFailure('connect_timeout', detail);
  }
  const spawn =
    error instanceof Error && 'syscall' in error && typeof error.syscall === 'string' && /^spawn/.test(error.syscall);
  return new SessionFailure(spawn ? 'spawn_failed' : 'connect_failed', detail);
}

/** The failure of listing tools, from what the library threw. A list that never came is a lost connection. */
export function listFailure(error: unknown): SessionFailure {
  if (error instanceof SessionFailure) return error;
  const lost = error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed;
  return new SessionFailure(lost ? 'connection_lost' : 'list_failed', failureDetail(error));
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
