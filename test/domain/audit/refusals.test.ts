/** Refusals in the audit trail: one record at once, counts of repeats, and no refusal lost. */
import { trace } from '@opentelemetry/api';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AuditedEvent } from '../../../src/domain/audit/entry.ts';
import {
  anonymousSourcesMax,
  createRefusals,
  kindsPerSourceMax,
  refusalIntervalMs,
  refusalKindsMax,
} from '../../../src/domain/audit/refusals.ts';
import { anonymousCaller } from '../../../src/shapes/access.ts';

afterEach(() => void vi.useRealTimers());

function refusalsUnderTest() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const records: Record<string, unknown>[] = [];
  const reports: string[] = [];
  const refusals = createRefusals({
    append: async ({ event }) => {
      records.push(event.fields);
      return true;
    },
    onCounted: () => undefined,
    report: (_event, _span, sinks = 'all') => void reports.push(sinks),
  });
  const refuse = (action: string, source = 'key_1') => refusals.record(refusal(action), source);
  return { refusals, records, reports, refuse, nextInterval: () => vi.advanceTimersByTimeAsync(refusalIntervalMs) };
}

function refusal(action: string): AuditedEvent {
  const span = trace.getTracer('test').startSpan('access.check');
  return {
    event: { kind: 'security', name: 'ACCESS_DENIED', failed: true, fields: { action } },
    by: anonymousCaller,
    span,
  };
}

describe('a refusal', () => {
  test('is recorded at once, and reported to span, metrics and log', async () => {
    const { refuse, records, reports } = refusalsUnderTest();
    await refuse('tool.call');
    expect(records).toEqual([{ action: 'tool.call' }]);
    expect(reports).toEqual(['all']);
  });

  test.each([
    ['of another key', 'tool.call', 'key_2'],
    ['of another action', 'key.manage', 'key_1'],
  ])('%s is recorded on its own', async (_, action, source) => {
    const { refuse, records } = refusalsUnderTest();
    await refuse('tool.call');
    await refuse(action, source);
    expect(records).toHaveLength(2);
  });
});

describe('a source that is refused for ever new things', () => {
  test('has the first ones recorded, and the others counted together, in each interval', async () => {
    const { refuse, records, nextInterval } = refusalsUnderTest();
    for (let at = 0; at < kindsPerSourceMax + 50; at += 1) await refuse(`action ${at}`);
    await refuse('action 0', 'key_2');
    expect(records).toHaveLength(kindsPerSourceMax + 2);
    await nextInterval();
    expect(records.at(-1)).toEqual({ action: `action ${kindsPerSourceMax + 49}`, count: 49 });
    const sum = records.reduce((count, { count: repeats }) => count + Number(repeats ?? 1), 0);
    expect(sum).toBe(kindsPerSourceMax + 51);
    await refuse('of the next interval');
    expect(records.at(-1)).toEqual({ action: 'of the next interval' });
  });
});

describe('refusals of nobody who was authenticated, from ever new addresses', () => {
  test('are recorded for the first addresses, and counted together for the others, in each interval', async () => {
    const { refuse, records, nextInterval } = refusalsUnderTest();
    for (let at = 0; at < anonymousSourcesMax + 50; at += 1) await refuse('tool.call', `address ${at}`);
    expect(records).toHaveLength(anonymousSourcesMax + 1);
    await nextInterval();
    expect(records.at(-1)).toEqual({ action: 'tool.call', count: 49 });
    await refuse('tool.call', 'address of the next interval');
    expect(records.at(-1)).toEqual({ action: 'tool.call' });
  });
});

describe('a repeated refusal', () => {
  test('is counted, reported to its span and the metrics, and recorded once in each interval', async () => {
    const { refuse, records, reports, nextInterval } = refusalsUnderTest();
    for (let times = 0; times < 100; times += 1) await refuse('tool.call');
    expect(records).toHaveLength(1);
    await nextInterval();
    expect(records).toEqual([{ action: 'tool.call' }, { action: 'tool.call', count: 99 }]);
    expect(reports).toEqual(['all', ...Array.from({ length: 99 }, () => 'span and metrics'), 'log']);
    await refuse('tool.call');
    await nextInterval();
    expect(records.at(-1)).toEqual({ action: 'tool.call', count: 1 });
  });

  test('is recorded at once again after an interval without one', async () => {
    const { refuse, records, nextInterval } = refusalsUnderTest();
    await refuse('tool.call');
    await nextInterval();
    await refuse('tool.call');
    expect(records).toEqual([{ action: 'tool.call' }, { action: 'tool.call' }]);
  });

  test('is not lost at shutdown', async () => {
    const { refuse, records, refusals } = refusalsUnderTest();
    await refuse('tool.call');
    await refuse('tool.call');
    await refusals.flush();
    await refusals.flush();
    expect(records).toEqual([{ action: 'tool.call' }, { action: 'tool.call', count: 1 }]);
  });

  test('is not lost when more sources are refused than are counted', async () => {
    const { refuse, records, refusals } = refusalsUnderTest();
    await refuse('tool.call', 'first');
    await refuse('tool.call', 'first');
    for (let at = 0; at < refusalKindsMax; at += 1) await refuse('tool.call', `key_${at}`);
    await refusals.flush();
    const counted = records.reduce((sum, { count = 1 }) => sum + Number(count), 0);
    expect(counted).toBe(refusalKindsMax + 2);
  });
});
