/**
 * What the hub may have in hand at once: requests, the longest body, all bodies together, and the memory of the process. A
 * request that is too much is refused before its body is read and before anyone asks who sent it: that costs little, and tells
 * nothing.
 */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { errorCodes, HestiaError } from '../shapes/error.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { completeResponse } from './complete-response.ts';
import { problemText, problemType } from './problem.ts';
import { knownMethod, probes } from './request-span.ts';

/** The limits, in bytes but for the first. */
export interface RequestLimits {
  /** Requests that are not answered yet; a stream counts until it is open. */
  requestsRunningMax: number;
  /** The longest body. */
  requestBytesMax: number;
  /** All bodies that are being read or worked on; a single one passes whatever its length. */
  requestBytesHeldMax: number;
  /** What JavaScript holds, buffers included. */
  memoryBytesMax: number;
}

/** Seconds after which a refused request is worth another try. */
const retryAfterSeconds = 1;

/** Requests that are refused one by one are too many to be told of one by one: they have no span, and count in the metric. */
export interface RunningLimitDeps {
  limits: Pick<RequestLimits, 'requestsRunningMax'>;
  metrics: Pick<Metrics, 'httpServerRequest'>;
}

/** Makes the middleware that comes before all work; probes pass it. */
export function limitRunning({ limits, metrics }: RunningLimitDeps): MiddlewareHandler {
  const { requestsRunningMax } = limits;
  // Made once: it is the same for all.
  const refusal = problemText(overloaded(`${requestsRunningMax} requests are under way`));
  const { status } = errorCodes.OVERLOADED;
  const headers = { 'content-type': problemType, 'retry-after': String(retryAfterSeconds) };
  let running = 0;
  return async (c, next) => {
    if (running >= requestsRunningMax && !probes.has(c.req.path)) {
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

/** Makes the middleware for bodies and memory. A body that does not say its length counts as the longest, and is counted as it comes. */
export function limitBodies(limits: RequestLimits, memoryBytes: () => number = sampledMemory()): MiddlewareHandler {
  const { requestBytesMax, requestBytesHeldMax, memoryBytesMax } = limits;
  const refuse = (): never => {
    throw new HestiaError('PAYLOAD_TOO_LARGE', `the body must be at most ${requestBytesMax} bytes`);
  };
  const countBody = bodyLimit({ maxSize: requestBytesMax, onError: refuse });
  let held = 0;
  return async (c, next) => {
    const length = c.req.header('content-length');
    const isChunked = c.req.header('transfer-encoding') !== undefined;
    const bytes = isChunked ? requestBytesMax : Number(length ?? 0);
    if (bytes > requestBytesMax) refuse();
    if (bytes > 0 && held > 0 && held + bytes > requestBytesHeldMax)
      throw overloaded(`${requestBytesHeldMax} bytes of requests are under way`);
    if (memoryBytes() > memoryBytesMax) throw overloaded(`the hub holds ${memoryBytesMax} bytes of memory`);
    held += bytes;
    try {
      await (isChunked || length === undefined ? countBody(c, next) : next());
    } finally {
      held -= bytes;
    }
  };
}

function overloaded(found: string): HestiaError {
  return new HestiaError('OVERLOADED', `${found}, which is the limit; try again`, { retryAfterSeconds });
}

/** How old a reading may be, in milliseconds: one costs some 10 us, a request not much more. */
const readingMsMax = 100;

function sampledMemory(): () => number {
  let bytes = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - readAt > readingMsMax) {
      const { heapUsed, external } = process.memoryUsage();
      bytes = heapUsed + external;
      readAt = now;
    }
    return bytes;
  };
}
