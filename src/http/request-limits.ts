/**
 * Limits on running requests and on declared body sizes. A request over a limit is refused before its body is read and before
 * it is authenticated, so that a refusal is cheap and reveals nothing.
 */
import type { HonoRequest, MiddlewareHandler } from 'hono';
import { errorCodes, HestiaError } from '../shapes/error.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { completeResponse } from './complete-response.ts';
import { problemText, problemType } from './problem.ts';
import { knownMethod, probes } from './request-span.ts';

/** The longest bodies, in bytes. */
export interface BodyLimits {
  requestBytesMax: number;
  /** Of the publication of a skill. */
  skillRequestBytesMax: number;
}

/** The limits on requests. */
export interface RequestLimits extends BodyLimits {
  /** Requests without a response yet; a stream counts until it is open. */
  requestsRunningMax: number;
  /** The bodies of all running requests together, in bytes. */
  requestBytesHeldMax: number;
  /** The most JSON values in a body. */
  requestValuesMax: number;
}

/** Seconds after which a client may send a refused request again. */
const retryAfterSeconds = 1;

/** Dependencies of {@link limitRunning}. A refused request has no span and no log line; it counts in the metric. */
export interface RunningLimitDeps {
  limits: Pick<RequestLimits, 'requestsRunningMax'>;
  metrics: Pick<Metrics, 'httpServerRequest'>;
  /** Called for each request but health probes. */
  onRequest: () => void;
}

/** The middleware that limits running requests; health probes pass. */
export function limitRunning({ limits, metrics, onRequest }: RunningLimitDeps): MiddlewareHandler {
  const { requestsRunningMax } = limits;
  // Built once: it is the same for every refused request.
  const refusal = problemText(overloaded(`${requestsRunningMax} requests are under way, which is the limit`));
  const { status } = errorCodes.OVERLOADED;
  const headers = { 'content-type': problemType, 'retry-after': String(retryAfterSeconds) };
  let running = 0;
  return async (c, next) => {
    const isProbe = probes.has(c.req.path);
    if (!isProbe) onRequest();
    if (running >= requestsRunningMax && !isProbe) {
      metrics.httpServerRequest(0, {
        [attributes.httpRequestMethod]: knownMethod(c.req.method),
        [attributes.urlScheme]: 'http',
        [attributes.httpResponseStatusCode]: status,
      });
      return completeResponse(refusal, status, headers);
    }
    running += 1;
    try {
      await next();
    } finally {
      running -= 1;
    }
    return;
  };
}

/** The path of a skill, whose publication has a larger limit than other requests. */
const skillPath = /^\/v1\/skills\/[^/]+$/;

/** The longest body of a request, in bytes: of a publication of a skill, or of another request. */
export function bodyBytesMax(limits: BodyLimits, { method, path }: { method: string; path: string }): number {
  return method === 'PUT' && skillPath.test(path) ? limits.skillRequestBytesMax : limits.requestBytesMax;
}

const methodsWithoutBody = new Set(['GET', 'HEAD', 'DELETE']);

/** The bytes of a body that a request declares; undefined if it does not say. */
export function declaredBytes(request: HonoRequest): number | undefined {
  const length = request.header('content-length');
  if (request.header('transfer-encoding') !== undefined) return undefined;
  if (length === undefined) return methodsWithoutBody.has(request.method) ? 0 : undefined;
  return Number(length);
}

/** The middleware that refuses bodies by their declared length, before the request is authenticated. */
export function limitDeclaredBodies(limits: BodyLimits): MiddlewareHandler {
  return (c, next) => {
    const bytesMax = bodyBytesMax(limits, c.req);
    if ((declaredBytes(c.req) ?? 0) > bytesMax) throw bodyTooLong(bytesMax);
    return next();
  };
}

/** The refusal of a body over the limit. */
export function bodyTooLong(bytesMax: number): HestiaError {
  return new HestiaError('PAYLOAD_TOO_LARGE', `the body must be at most ${bytesMax} bytes`);
}

/** The refusal of a request over a limit on what is held at once. `found` says what, and how much. */
export function overloaded(found: string): HestiaError {
  return new HestiaError('OVERLOADED', `${found}; try again`, { retryAfterSeconds });
}
