/** The spans that the hub keeps: the newest ones, found by their trace. */
import { context, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { createRecentSpans, type RecentSpans } from '../../src/telemetry/recent-spans.ts';

function stage(spansMax?: number): { spans: RecentSpans; tracer: Tracer } {
  const spans = createRecentSpans(spansMax);
  return { spans, tracer: new TracerProvider({ spanProcessors: [spans] }).getTracer('test') };
}

/** Ends a span with one child, and returns the id of their trace. */
function endPair(tracer: Tracer, name: string): string {
  const parent = tracer.startSpan(name, { startTime: new Date(1000), attributes: { 'hestia.server.id': 'a' } });
  const within = trace.setSpan(context.active(), parent);
  const child = tracer.startSpan(`${name} child`, { startTime: new Date(1010) }, within);
  child.setStatus({ code: SpanStatusCode.ERROR });
  child.end(new Date(1015));
  parent.end(new Date(1020));
  return parent.spanContext().traceId;
}

test('the spans of a trace are found in the order of their start, with what is known of them', () => {
  const { spans, tracer } = stage();
  const first = endPair(tracer, 'first');
  endPair(tracer, 'second');
  const [parent, child] = spans.ofTrace(first);
  expect(parent).toMatchObject({
    name: 'first',
    startedAt: 1000,
    durationMs: 20,
    hasFailed: false,
    parentSpanId: undefined,
    attributes: [['hestia.server.id', 'a']],
  });
  expect(child).toMatchObject({ name: 'first child', durationMs: 5, hasFailed: true, parentSpanId: parent?.spanId });
  expect(spans.ofTrace(first)).toHaveLength(2);
  expect(spans.ofTrace('f'.repeat(32))).toEqual([]);
});

test('beyond the limit the oldest spans go', () => {
  const { spans, tracer } = stage(4);
  const traces = ['a', 'b', 'c'].map((name) => endPair(tracer, name));
  expect(traces.map((id) => spans.ofTrace(id).length)).toEqual([0, 2, 2]);
});
