/** Errors as HTTP responses: RFC 9457 problem details with an error code; logs failures of the hub. */
import { trace } from '@opentelemetry/api';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { type ErrorCode, errorCodes, exhaustionError, HestiaError } from '../shapes/error.ts';
import { printable, truncated } from '../shapes/text.ts';
import { zodViolations } from '../shapes/violation.ts';
import type { Log } from '../telemetry/log.ts';
import { failSpan } from '../telemetry/span.ts';

/**
 * The problem details of an error. An error that is not a {@link HestiaError} becomes INTERNAL and shows no detail.
 * @param challenge the `WWW-Authenticate` header of an UNAUTHENTICATED error
 */
export function problemResponse(error: unknown, { log, challenge }: { log: Log; challenge: string }): Response {
  const known = asHestiaError(error);
  const { status } = errorCodes[known.code];
  const span = trace.getActiveSpan();
  if (status >= 500) {
    if (span) failSpan(span, known.code);
    if (known.code === 'INTERNAL' || known.code === 'STORAGE_FAILED')
      log.error('A request failed', { code: known.code }, { error });
  }
  return new Response(problemText(known, span?.spanContext().traceId), {
    status,
    headers: { 'content-type': problemType, ...extraHeaders(known, challenge) },
  });
}

/** The media type of problem details. */
export const problemType = 'application/problem+json';

/** The JSON text of problem details. */
export function problemText({ code, message, violations, content }: HestiaError, traceId?: string): string {
  const { status, title } = errorCodes[code];
  return JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail: message,
    code,
    ...(traceId !== undefined && { traceId }),
    ...(violations.length > 0 && { violations }),
    ...(content.length > 0 && { content }),
  });
}

/** An INVALID_REQUEST whose message names the first violation and whose `violations` list them all. */
export function invalidRequest(error: z.core.$ZodError): HestiaError {
  const violations = zodViolations(error, { valueName: '(body)' });
  const first = violations[0];
  return new HestiaError('INVALID_REQUEST', first ? `${first.field}: ${first.message}` : 'the request is not valid', {
    violations,
  });
}

/** The validation hook of all documented routes. @throws HestiaError INVALID_REQUEST */
export function rejectInvalid(result: { success: boolean; error?: unknown }, _context: Context): undefined {
  if (!result.success && result.error instanceof z.core.$ZodError) throw invalidRequest(result.error);
}

const codesByStatus: Partial<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

function asHestiaError(error: unknown): HestiaError {
  if (error instanceof HestiaError) return error;
  if (error instanceof HTTPException) {
    const code = codesByStatus[error.status];
    if (code !== undefined)
      return new HestiaError(code, printable(truncated(error.message || 'the request is not valid', 200)));
  }
  return (
    exhaustionError(error) ??
    new HestiaError('INTERNAL', 'the hub failed; the trace id leads to the cause', { cause: error })
  );
}

/** Seconds after which a client may repeat a request that failed because something was unavailable. */
const retryAfterSeconds = 5;

function extraHeaders(error: HestiaError, challenge: string): Record<string, string> {
  if (error.code === 'UNAUTHENTICATED') return { 'www-authenticate': challenge };
  const { status } = errorCodes[error.code];
  if (error.retryAfterSeconds !== undefined) return { 'retry-after': String(error.retryAfterSeconds) };
  return status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {};
}
