/**
 * Counters of the audit trail, and the audit gap that results from comparing them. Operations are counted when their spans
 * start, records when they are committed; both are compared with each other and with the head of the stored chain.
 */
import type { Span } from '@opentelemetry/api';

/** The counts since the process started. */
export interface AuditCounts {
  /** Operations that began; each must record one event. */
  operations: number;
  /** Operations that ended. */
  ended: number;
  /** Records committed, of any kind. */
  records: number;
  /** Records that could not be written. */
  failures: number;
  /** Operations that ended without an attempt to record them. */
  forgotten: number;
  /** Records in the database beyond those committed by this process, negative for fewer, as of the last reconciliation. */
  drift: number;
}

/** The counters. */
export interface AuditLedger {
  /** Counts an operation that must record an event under this span. */
  begin(span: Span): void;
  /** Counts the end of an operation. Returns false where no attempt was made to record it. */
  end(span: Span): boolean;
  /** Counts one committed record for each of these spans. */
  written(spans: readonly Span[]): void;
  /** Counts a record that could not be written. */
  failed(span: Span): void;
  /** Sets the head of the chain before the first record of this process. Later calls have no effect. */
  startsAt(seq: number): void;
  /** Compares the committed records with the head of the chain. Call it while no transaction is open. */
  reconcile(headSeq: number): void;
  counts(): AuditCounts;
  /** Failed, forgotten and drifted records together. Must be 0. */
  gap(): number;
}

/** Creates the ledger with all counts at 0. */
export function createAuditLedger(): AuditLedger {
  const counts = { operations: 0, ended: 0, records: 0, failures: 0, forgotten: 0, drift: 0 };
  const unrecorded = new Set<Span>();
  let base: number | undefined;
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
    written: (spans) => {
      counts.records += spans.length;
      for (const span of spans) unrecorded.delete(span);
    },
    failed: (span) => {
      counts.failures += 1;
      unrecorded.delete(span);
    },
    startsAt: (seq) => {
      base ??= seq;
    },
    reconcile: (headSeq) => {
      if (base !== undefined) counts.drift = headSeq - base - counts.records;
    },
    counts: () => ({ ...counts }),
    gap: () => counts.failures + counts.forgotten + Math.abs(counts.drift),
  };
}
