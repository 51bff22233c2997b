/** Ids of traces: valid, in the order of time, and random where W3C wants it. */
import { isValidSpanId, isValidTraceId } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createTraceIds } from '../../src/telemetry/trace-ids.ts';

test('ids are valid and differ, over more of them than are made ready at once', () => {
  const ids = createTraceIds();
  const traces = Array.from({ length: 2000 }, ids.generateTraceId);
  const spans = Array.from({ length: 2000 }, ids.generateSpanId);
  expect(traces.every(isValidTraceId)).toBe(true);
  expect(spans.every(isValidSpanId)).toBe(true);
  expect(new Set(traces).size + new Set(spans).size).toBe(4000);
  expect(new Set(traces.map((id) => id.slice(12))).size).toBe(2000);
});

test('a trace begins with the milliseconds at which it was begun', () => {
  const before = Date.now();
  const time = Number.parseInt(createTraceIds().generateTraceId().slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});
