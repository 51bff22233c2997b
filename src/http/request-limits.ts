/**
 * Limits on running requests, on body sizes and on the memory of the process. A request over a limit is refused before its
 * body is read and before it is authenticated, so that a refusal is cheap and reveals nothing.
 */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { errorCodes, HestiaError } from '../shapes/error.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { completeResponse } from './complete-response.ts';
import { problemText, problemType } from './problem.ts';
import { knownMethod, probes } from './request-span.ts';

/** The limits; all but the first are in bytes. */
export interface RequestLimits {
  /** Requests without a response yet; a stream counts until it is open. */
  requestsRunningMax: number;
  /** The longest body. */
  requestBytesMax: number;
  /** The bodies of all running requests together; a single body is accepted whatever its length. */
  requestBytesHeldMax: number;
  /** The JavaScript heap with external buffers. */
  memoryBytesMax: number;
}

/** Seconds after which a client may send a refused request again. */
const retryAfterSeconds = 1;

/** Dependencies of {@link limitRunning}. A refused request has no span and no log line; it counts in the metric. */
export interface RunningLimitDeps {
  limits: Pick<RequestLimits, 'requestsRunningMax'>;
  metrics: Pick<Metrics, 'httpServerRequest'>;
}

/** The middleware that limits running requests; health probes pass. */
export function limitRunning({ limits, metrics }: RunningLimitDeps): MiddlewareHandler {
  const { requestsRunningMax } = limits;
  // Built once: it is the same for every refused request.
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

/** The middleware that limits bodies and memory. A body of unknown length counts as the longest, and is measured as it arrives. */
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

/** The greatest age of a memory reading, in milliseconds: a reading costs 10 us, a request not much more. */
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
