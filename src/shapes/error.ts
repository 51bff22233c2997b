/**
 * The closed list of error codes, and the error class that carries them.
 * HTTP, MCP and the command line each translate this one class. Its message may leave the process; `internal` and `cause`
 * go to the log only.
 */
import type { JsonObject } from './json.ts';

/** Each code with its HTTP status (RFC 9110) and the title shown in problem details (RFC 9457). */
export const errorCodes = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'A valid API key is needed' },
  FORBIDDEN: { status: 403, title: 'This key may not do that' },
  NOT_FOUND: { status: 404, title: 'Nothing is here' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This method is not allowed here' },
  CONFLICT: { status: 409, title: 'The request conflicts with the present state' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'This content type is not accepted' },
  INVALID_SKILL: { status: 422, title: 'The skill breaks the Agent Skills specification' },
  INJECTION_SUSPECTED: { status: 422, title: 'The skill reads like an attack' },
  INVALID_ARGUMENTS: { status: 422, title: "The arguments do not fit the tool's schema" },
  INVALID_TOOL_SCHEMA: { status: 502, title: "The tool's own schema is broken" },
  UPSTREAM_FAILED: { status: 502, title: 'The upstream server failed' },
  RESPONSE_TOO_LARGE: { status: 502, title: "The tool's response is too large" },
  LOGIN_REQUIRED: { status: 502, title: 'The upstream server requires a login' },
  SERVER_UNAVAILABLE: { status: 503, title: 'The upstream server is not connected' },
  STORAGE_FAILED: { status: 503, title: 'The record could not be written' },
  VIEWS_UNAVAILABLE: { status: 503, title: 'The views of the audit trail are not up to date' },
  SHUTTING_DOWN: { status: 503, title: 'The hub is shutting down' },
  TIMEOUT: { status: 504, title: 'The deadline passed' },
  ABANDONED: { status: 499, title: 'The caller went away' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  OVERLOADED: { status: 503, title: 'The hub is at its limit' },
  ISSUER_UNAVAILABLE: { status: 503, title: 'The token issuer cannot be reached' },
  INTERNAL: { status: 500, title: 'The hub failed' },
} as const satisfies Record<string, { status: number; title: string }>;

/** One code of the closed list. */
export type ErrorCode = keyof typeof errorCodes;

/** One violated rule: the field, what was found and what is allowed. Free of secrets and of upstream text. */
export interface Violation {
  field: string;
  message: string;
}

/** What a {@link HestiaError} carries besides its public message. */
export interface HestiaErrorDetails {
  /** For the log only: may name internals, never a secret. */
  internal?: string;
  cause?: unknown;
  /** When the caller may retry, in seconds. */
  retryAfterSeconds?: number;
  /** Shown to the caller, at most 50. */
  violations?: readonly Violation[];
  /** Content blocks of MCP for the caller, with text of an upstream server. They are neither logged nor recorded. */
  content?: readonly JsonObject[];
  /** The error that an upstream server answered with, for an endpoint that passes it on. Neither logged nor recorded. */
  upstream?: UpstreamProtocolError | undefined;
}

/** A JSON-RPC error of an upstream server. Its text and data are those of the server, bounded. */
export interface UpstreamProtocolError {
  jsonRpcCode: number;
  text: string;
  data?: JsonObject | undefined;
}

const violationsMax = 50;

/**
 * A failure that someone can act on. `message` is public: it names the field, what was found and what is allowed. It never
 * contains a secret, a stack trace or text from an upstream server.
 */
export class HestiaError extends Error {
  override readonly name = 'HestiaError';
  readonly code: ErrorCode;
  readonly internal: string | undefined;
  readonly violations: readonly Violation[];
  readonly retryAfterSeconds: number | undefined;
  readonly content: readonly JsonObject[];
  readonly upstream: UpstreamProtocolError | undefined;

  constructor(code: ErrorCode, message: string, details: HestiaErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.internal = details.internal;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.violations = (details.violations ?? []).slice(0, violationsMax);
    this.content = details.content ?? [];
    this.upstream = details.upstream;
  }

  /** The same error with one more content block. */
  withContent(block: JsonObject): HestiaError {
    const { internal, cause, retryAfterSeconds, violations, upstream } = this;
    return new HestiaError(this.code, this.message, {
      ...(internal !== undefined && { internal }),
      ...(cause !== undefined && { cause }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      violations,
      upstream,
      content: [...this.content, block],
    });
  }
}

const exhaustedCodes: readonly unknown[] = ['EMFILE', 'ENFILE'];
const causesMax = 8;

/** OVERLOADED, if the error or one of its causes is that no file descriptor is left; undefined otherwise. */
export function exhaustionError(error: unknown): HestiaError | undefined {
  let current = error;
  for (let depth = 0; depth < causesMax && current instanceof Error; depth += 1) {
    if ('code' in current && exhaustedCodes.includes(current.code)) {
      return new HestiaError('OVERLOADED', 'the hub has no file descriptors left', { cause: error });
    }
    current = current.cause;
  }
  return undefined;
}

/**
 * NOT_FOUND for what does not exist and for what the caller may not see. A caller cannot distinguish the two.
 * `kind` is one of the hub's nouns (`skill`, `tool`, `server`, `key`), never text of the caller.
 */
export function notFound(kind: string): HestiaError {
  return new HestiaError('NOT_FOUND', `no such ${kind}`);
}
