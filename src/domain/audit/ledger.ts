/**
 * The reconciliation of the trail: operations counted as their spans start, records counted as they are committed, and the
 * position of the stored chain, held against each other. What does not agree is the gap.
 */
import type { Span } from '@opentelemetry/api';

/** What was counted since the start. */
export interface AuditCounts {
  /** Operations that began and owe one record. */
  operations: number;
  /** Those among them that have ended. */
  ended: number;
  /** Records committed, of whatever kind. */
  records: number;
  /** Records that could not be written. */
  failures: number;
  /** Operations that ended without an attempt to write their record. */
  forgotten: number;
  /** Records in the database more or less than were committed here, as of the last look. */
  drift: number;
}

/** The books. */
export interface AuditLedger {
  /** An operation begins and owes a record under this span. */
  begin(span: Span): void;
  /** It has ended; answers false where nobody tried to write its record. */
  end(span: Span): boolean;
  /** One record was committed for each of these spans. */
  written(spans: readonly Span[]): void;
  /** A record could not be written. */
  failed(span: Span): void;
  /** Notes where the chain stood before this process wrote to it; only the first call counts. */
  startsAt(seq: number): void;
  /** Holds what was committed against the chain's position. Called where no transaction is open. */
  reconcile(headSeq: number): void;
  counts(): AuditCounts;
  /** What is not on record as it should be. Must be 0. */
  gap(): number;
}

/** Opens the books. */
export function createAuditLedger(): AuditLedger {
  const counts = { operations: 0, ended: 0, records: 0, failures: 0, forgotten: 0, drift: 0 };
  const owing = new Set<Span>();
  let base: number | undefined;
  return {
    begin: (span) => {
      counts.operations += 1;
      owing.add(span);
    },
    end: (span) => {
      counts.ended += 1;
      const isForgotten = owing.delete(span);
      if (isForgotten) counts.forgotten += 1;
      return !isForgotten;
    },
    written: (spans) => {
      counts.records += spans.length;
      for (const span of spans) owing.delete(span);
    },
    failed: (span) => {
      counts.failures += 1;
      owing.delete(span);
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
