/**
 * Counters of the audit trail, and the audit gap that results from comparing them. Operations are counted when their spans
 * start, records when they are in the journal; both are compared with each other and with the size of the journal.
 */
import type { Span } from '@opentelemetry/api';

/** The counts since the process started. */
export interface AuditCounts {
  /** Operations that began; each must record one event. */
  operations: number;
  /** Operations that ended. */
  ended: number;
  /** Records appended to the journal, of any kind. */
  records: number;
  /** Records of committed changes that the journal did not accept yet. They are in the outbox and are tried again. */
  waiting: number;
  /** Records that could not be written and are lost. */
  failures: number;
  /** Operations that ended without an attempt to record them. */
  forgotten: number;
  /** Records in the journal beyond those appended by this process, negative for fewer, as of the last reconciliation. */
  drift: number;
}

/** The counters. */
export interface AuditLedger {
  /** Counts an operation that must record an event under this span. */
  begin(span: Span): void;
  /** Counts the end of an operation. Returns false where no attempt was made to record it. */
  end(span: Span): boolean;
  /** Marks the operations of these spans as recorded: in the journal, in the outbox, or in the count of a later record. */
  settled(spans: readonly Span[]): void;
  /** Counts a record that was appended to the journal. */
  appended(): void;
  /** Counts records that wait in the outbox, or with a negative `change` records that no longer do. */
  waits(change: number): void;
  /** Counts a record that could not be written. */
  failed(span: Span): void;
  /** Compares the appended records with the size of the journal. Call it at the start of a turn of the event loop. */
  reconcile(journalSize: number): void;
  counts(): AuditCounts;
  /** Waiting, failed, forgotten and drifted records together. Must be 0. */
  gap(): number;
}

/** Creates the ledger with all counts at 0. `journalSize` is the size of the journal before the first record of this process. */
export function createAuditLedger(journalSize: number): AuditLedger {
  const counts = { operations: 0, ended: 0, records: 0, waiting: 0, failures: 0, forgotten: 0, drift: 0 };
  const unrecorded = new Set<Span>();
  return {
    begin: (span) => {
      counts.operations += 1;
      unrecorded.add(span);
    },
    end: (span) => {
      counts.ended += 1;
      const isForgotten = unrecorded.delete(span);
      if (isForgotten) counts.forgotten += 1;
      return !isForgotten;
    },
    settled: (spans) => {
      for (const span of spans) unrecorded.delete(span);
    },
    appended: () => {
      counts.records += 1;
    },
    waits: (change) => {
      counts.waiting += change;
    },
    failed: (span) => {
      counts.failures += 1;
      unrecorded.delete(span);
    },
    reconcile: (size) => {
      counts.drift = size - journalSize - counts.records;
    },
    counts: () => ({ ...counts }),
    gap: () => counts.waiting + counts.failures + counts.forgotten + Math.abs(counts.drift),
  };
}
