/**
 * The writer of the audit trail: records each event, and counts failed writes. An event is one append to the journal. The
 * record of a change is stored with the change and appended after its commit. Events are then reported to telemetry.
 */
import type { Span } from '@opentelemetry/api';
import type { Journal } from '../../journal/journal.ts';
import { JournalError } from '../../journal/journal-error.ts';
import { recordLine } from '../../journal/record-line.ts';
import { HestiaError } from '../../shapes/error.ts';
import { newId } from '../../shapes/id.ts';
import type { Database, Transaction } from '../../stores/database.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type AuditedEvent, auditEntry, eventName } from './entry.ts';
import type { AuditLedger } from './ledger.ts';
import type { Outbox } from './outbox.ts';
import { createRefusals, type Refusals } from './refusals.ts';

export type { AuditedEvent } from './entry.ts';

/** The events of a change: one, several, or a function that derives them from the result of the change. */
export type AuditedEvents<T> = AuditedEvent | readonly AuditedEvent[] | ((result: T) => readonly AuditedEvent[]);

/** The audit trail. */
export interface AuditTrail {
  /**
   * Runs `change` and stores its records in one transaction, and then appends them to the journal. The records may depend on the
   * result of `change`. A record that the journal refuses after the commit waits in the outbox and is tried again.
   * @throws HestiaError STORAGE_FAILED; then nothing was changed and nothing is reported.
   */
  commit<T>(events: AuditedEvents<T>, change: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Records an event that has already happened. Never throws: a record that cannot be written is logged and counted in the gap.
   * @returns whether the record was written
   */
  record(audited: AuditedEvent): Promise<boolean>;
  /** Records refused requests: the first of a kind, and then the count of its repeats in each interval. */
  refusals: Refusals;
  /** Runs an operation that must record an event under `span`. One that ends without is logged and counted in the gap. */
  operation<T>(span: Span, work: () => Promise<T>): Promise<T>;
  /** Whether `policy.auditMode` is `required`: a call that cannot be recorded is refused. */
  isRequired: boolean;
  /**
   * Where records are required, checks that the journal accepts a record now. Writes nothing.
   * @throws HestiaError STORAGE_FAILED where it does not
   */
  admit(): Promise<void>;
  /** Checks that events are recorded now: the journal accepts records, and none of a change waits. @throws HestiaError STORAGE_FAILED */
  checkRecording(): Promise<void>;
  /** Records that are missing or unexpected since the start, and records of changes that wait. Must be 0. */
  gap(): number;
}

/** Dependencies of the trail. */
export interface AuditTrailDeps {
  database: Database;
  journal: Pick<Journal, 'append' | 'checkWritable'>;
  outbox: Outbox;
  ledger: AuditLedger;
  /** The id of the writer of this trail. */
  writerId: string;
  auditMode: 'best-effort' | 'required';
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** Creates the trail. */
export function createAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const isRequired = deps.auditMode === 'required';
  return {
    commit: (events, change) => commitChange(deps, events, change),
    record: (audited) => recordEvent(deps, audited),
    refusals: createRefusals({
      append: (audited) => append(deps, audited),
      onCounted: ({ span }) => deps.ledger.settled([span]),
      report: deps.report,
    }),
    operation: (span, work) => runOperation(deps, span, work),
    isRequired,
    admit: async () => {
      if (isRequired) await checkWritable(deps);
    },
    checkRecording: async () => {
      await deps.journal.checkWritable();
      const waiting = deps.outbox.waiting();
      if (waiting > 0) throw new HestiaError('STORAGE_FAILED', `${waiting} records of changes wait for the journal`);
    },
    gap: deps.ledger.gap,
  };
}

async function checkWritable({ journal, metrics }: AuditTrailDeps): Promise<void> {
  try {
    await journal.checkWritable();
  } catch (cause) {
    if (cause instanceof JournalError) metrics.storageFailure(cause.type);
    throw new HestiaError(
      'STORAGE_FAILED',
      'the audit record of this call could not be written, and policy.auditMode requires one: the tool was not called',
      { cause },
    );
  }
}

async function runOperation<T>({ ledger, log }: AuditTrailDeps, span: Span, work: () => Promise<T>): Promise<T> {
  ledger.begin(span);
  try {
    return await work();
  } finally {
    if (!ledger.end(span)) {
      log.error('An operation ended without a record', { audit_gap: ledger.gap() }, { span });
    }
  }
}

async function commitChange<T>(
  deps: AuditTrailDeps,
  events: AuditedEvents<T>,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { database, journal, outbox, ledger, report } = deps;
  await journal.checkWritable();
  const { result, recorded, entries } = await database.transaction(async (tx) => {
    const changed = await change(tx);
    const all = typeof events === 'function' ? events(changed) : [events].flat();
    const queued = all.map((audited) => ({ ...entryOf(deps, audited), record_id: newId('rec') }));
    await outbox.store(tx, queued);
    return { result: changed, recorded: all, entries: queued };
  });
  ledger.settled(recorded.map(({ span }) => span));
  await outbox.deliver(entries);
  for (const { event, span } of recorded) report(event, span);
  return result;
}

async function recordEvent(deps: AuditTrailDeps, audited: AuditedEvent): Promise<boolean> {
  const isWritten = await append(deps, audited);
  deps.report(audited.event, audited.span);
  return isWritten;
}

/** Appends the record of an event. Never throws. */
async function append(deps: AuditTrailDeps, audited: AuditedEvent): Promise<boolean> {
  const { journal, ledger, metrics, log } = deps;
  try {
    const entry = entryOf(deps, audited);
    await journal.append((seq) => recordLine(entry, seq));
    ledger.settled([audited.span]);
    ledger.appended();
    metrics.auditRecord();
    return true;
  } catch (error) {
    ledger.failed(audited.span);
    const fields = { event: eventName(audited.event), audit_gap: ledger.gap() };
    log.error('An event could not be recorded', fields, { error, span: audited.span });
    return false;
  }
}

function entryOf({ writerId, now }: AuditTrailDeps, audited: AuditedEvent) {
  return auditEntry(audited, { writerId, timeMs: now() });
}
