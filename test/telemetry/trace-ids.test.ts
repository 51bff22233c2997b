/** Trace and span ids: valid, ordered by time, and random where W3C Trace Context requires it. */
import { isValidSpanId, isValidTraceId } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { createTraceIds } from '../../src/telemetry/trace-ids.ts';

test('ids are valid and unique, beyond one pool of random bytes', () => {
  const ids = createTraceIds();
  const traces = Array.from({ length: 2000 }, ids.generateTraceId);
  const spans = Array.from({ length: 2000 }, ids.generateSpanId);
  expect(traces.every(isValidTraceId)).toBe(true);
  expect(spans.every(isValidSpanId)).toBe(true);
  expect(new Set(traces).size + new Set(spans).size).toBe(4000);
  expect(new Set(traces.map((id) => id.slice(12))).size).toBe(2000);
});

test('a trace id begins with the current Unix time in milliseconds', () => {
  const before = Date.now();
  const time = Number.parseInt(createTraceIds().generateTraceId().slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});
