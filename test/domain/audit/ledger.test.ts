/** The audit ledger: counters of operations and records, and the gap between them and the stored chain. */
import { trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createAuditLedger } from '../../../src/domain/audit/ledger.ts';
import { openTestTrail } from '../../support/audit-trail.ts';

const newSpan = () => trace.getTracer('test').startSpan('operation');

describe('the ledger', () => {
  test('has no gap if each operation has its record', () => {
    const ledger = createAuditLedger();
    for (const span of [newSpan(), newSpan()]) {
      ledger.begin(span);
      ledger.written([span]);
      expect(ledger.end(span)).toBe(true);
    }
    expect(ledger.counts()).toMatchObject({ operations: 2, ended: 2, records: 2, failures: 0, forgotten: 0 });
    expect(ledger.gap()).toBe(0);
  });

  test('counts an operation that ended without an attempt to record it once', () => {
    const ledger = createAuditLedger();
    const span = newSpan();
    ledger.begin(span);
    expect(ledger.gap()).toBe(0);
    expect(ledger.end(span)).toBe(false);
    expect(ledger.gap()).toBe(1);
  });

  test('counts a record that could not be written once, and not again when its operation ends', () => {
    const ledger = createAuditLedger();
    const span = newSpan();
    ledger.begin(span);
    ledger.failed(span);
    expect(ledger.end(span)).toBe(true);
    expect(ledger.gap()).toBe(1);
  });
});

describe('the stored chain', () => {
  test('agrees with the committed records, however many commit at once', async () => {
    await using trail = await openTestTrail();
    await trail.write(60);
    await trail.parts.checkpointer.runDue();
    await trail.write(1);
    await trail.parts.checkpointer.runDue();
    expect(trail.parts.trail.gap()).toBe(0);
  });

  test('has a gap if records were removed that no checkpoint covers yet', async () => {
    await using trail = await openTestTrail();
    await trail.write(5);
    trail.tamper('DELETE FROM audit_records WHERE seq > 3');
    await trail.parts.checkpointer.runDue();
    expect(trail.parts.trail.gap()).toBe(2);
  });

  test('has a gap if another process appended to it', async () => {
    await using trail = await openTestTrail();
    await trail.write(2);
    trail.tamper(
      `INSERT INTO audit_records (seq, body) SELECT 3, json_set(body, '$.seq', 3) FROM audit_records WHERE seq = 2`,
    );
    await trail.parts.checkpointer.runDue();
    expect(trail.parts.trail.gap()).toBe(1);
  });

  test('has a gap if an operation ended without a record, and the gap is logged', async () => {
    await using trail = await openTestTrail();
    await trail.parts.trail.operation(newSpan(), async () => undefined);
    expect(trail.parts.trail.gap()).toBe(1);
    await expect
      .poll(() => trail.logLines())
      .toMatchObject([{ message: 'An operation ended without a record', audit_gap: 1 }]);
  });
});
