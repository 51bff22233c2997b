/** The newest ended spans of this process, in memory, so that a trace can be read without a backend. */
import { SpanStatusCode } from '@opentelemetry/api';
import { hrTimeToMilliseconds } from '@opentelemetry/core';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** An ended span. */
export interface RecentSpan {
  spanId: string;
  /** Undefined for the first span of a trace. It may be of another process. */
  parentSpanId: string | undefined;
  name: string;
  /** Unix milliseconds. */
  startedAt: number;
  durationMs: number;
  hasFailed: boolean;
  attributes: readonly (readonly [string, string])[];
}

/** A span processor that keeps the newest spans. */
export interface RecentSpans extends SpanProcessor {
  /** The spans of a trace that are still kept, in the order of their start. */
  ofTrace(traceId: string): RecentSpan[];
}

/** How many spans are kept by default: a few megabytes. */
const spansMaxDefault = 2000;

/** Creates it, without a span. */
export function createRecentSpans(spansMax = spansMaxDefault): RecentSpans {
  const kept: ReadableSpan[] = [];
  let next = 0;
  return {
    onStart: () => undefined,
    onEnd: (span) => {
      kept[next] = span;
      next = (next + 1) % spansMax;
    },
    ofTrace: (traceId) =>
      kept
        .filter((span) => span.spanContext().traceId === traceId)
        .map(recentSpan)
        .sort((a, b) => a.startedAt - b.startedAt),
    forceFlush: async () => undefined,
    shutdown: async () => {
      kept.length = 0;
      next = 0;
    },
  };
}

function recentSpan(span: ReadableSpan): RecentSpan {
  return {
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    startedAt: hrTimeToMilliseconds(span.startTime),
    durationMs: hrTimeToMilliseconds(span.duration),
    hasFailed: span.status.code === SpanStatusCode.ERROR,
    attributes: Object.entries(span.attributes).map(([name, value]) => [name, String(value)] as const),
  };
}
