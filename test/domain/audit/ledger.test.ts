/** The audit ledger: counters of operations and records, and the gap between them and the journal. */
import { trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createAuditLedger } from '../../../src/domain/audit/ledger.ts';

const newSpan = () => trace.getTracer('test').startSpan('operation');

describe('the ledger', () => {
  test('has no gap if each operation has its record', () => {
    const ledger = createAuditLedger(0);
    for (const span of [newSpan(), newSpan()]) {
      ledger.begin(span);
      ledger.settled([span]);
      ledger.appended();
      expect(ledger.end(span)).toBe(true);
    }
    expect(ledger.counts()).toMatchObject({ operations: 2, ended: 2, records: 2, failures: 0, forgotten: 0 });
    expect(ledger.gap()).toBe(0);
  });

  test('counts an operation that ended without an attempt to record it once', () => {
    const ledger = createAuditLedger(0);
    const span = newSpan();
    ledger.begin(span);
    expect(ledger.gap()).toBe(0);
    expect(ledger.end(span)).toBe(false);
    expect(ledger.gap()).toBe(1);
  });

  test('counts a record that could not be written once, and not again when its operation ends', () => {
    const ledger = createAuditLedger(0);
    const span = newSpan();
    ledger.begin(span);
    ledger.failed(span);
    expect(ledger.end(span)).toBe(true);
    expect(ledger.gap()).toBe(1);
  });
});

describe('the journal', () => {
  test('has no gap if it has what was appended', () => {
    const ledger = createAuditLedger(5);
    for (let times = 0; times < 3; times += 1) ledger.appended();
    ledger.reconcile(8);
    expect(ledger.gap()).toBe(0);
  });

  test.each([
    ['fewer', 6, 2],
    ['more', 9, 1],
  ])('has a gap if it has %s records than were appended', (_, size, gap) => {
    const ledger = createAuditLedger(5);
    for (let times = 0; times < 3; times += 1) ledger.appended();
    ledger.reconcile(size);
    expect(ledger.gap()).toBe(gap);
  });

  test('has a gap while records of changes wait for it', () => {
    const ledger = createAuditLedger(0);
    ledger.waits(2);
    expect(ledger.gap()).toBe(2);
    ledger.waits(-2);
    expect(ledger.gap()).toBe(0);
  });
});
