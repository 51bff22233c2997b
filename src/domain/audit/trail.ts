/**
 * The trail: each event is written to the chain in the same transaction as the change it tells of, and only then
 * reported to telemetry. What could not be written is counted as the gap.
 */
import type { Span } from '@opentelemetry/api';
import type { Caller } from '../../shapes/access.ts';
import type { AuditEntry } from '../../shapes/audit.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { HubEvent } from '../../shapes/event.ts';
import { isoTime } from '../../shapes/time.ts';
import type { AuditStore } from '../../stores/audit-store.ts';
import type { Database, Transaction } from '../../stores/database.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { chainRecord } from './chain.ts';
import type { AuditLedger } from './ledger.ts';

/** One event, who caused it, and the span that stands for the operation and gives the record its ids. */
export interface Happening {
  event: HubEvent;
  by: Caller;
  span: Span;
  /** Keyed digests of content; on the record only. */
  digests?: { arguments?: string | undefined; result?: string | undefined };
}

/** What a change tells of: one event, several, or what its result says. */
export type Happenings<T> = Happening | readonly Happening[] | ((result: T) => readonly Happening[]);

/** The audit trail. */
export interface AuditTrail {
  /**
   * Writes `change` and its records in one transaction; all or nothing. Which records may depend on what `change` answers.
   * @throws HestiaError STORAGE_FAILED; then nothing was changed and nothing is reported.
   */
  commit<T>(happenings: Happenings<T>, change: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Writes the record of something that has happened already, with `change` in the same transaction. Never throws:
   * a record that cannot be written is logged and counted in the gap. Answers whether it is on record.
   */
  record(happening: Happening, change?: (tx: Transaction) => Promise<void>): Promise<boolean>;
  /** Runs an operation that owes a record under `span`; one that ends without is logged and counted in the gap. */
  operation<T>(span: Span, work: () => Promise<T>): Promise<T>;
  /** Whether nothing may happen that cannot be put on record (`policy.auditMode`). */
  isRequired: boolean;
  /**
   * Where records are required, makes sure that one could be written now, by writing.
   * @throws HestiaError STORAGE_FAILED where it could not
   */
  admit(): Promise<void>;
  /** What is not on record as it should be, since the start. Must be 0. */
  gap(): number;
}

/** What the trail is made of. */
export interface AuditTrailDeps {
  database: Database;
  auditStore: AuditStore;
  ledger: AuditLedger;
  auditMode: 'best-effort' | 'required';
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** Makes the trail. */
export function createAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const isRequired = deps.auditMode === 'required';
  return {
    commit: (happenings, change) => commitChange(deps, happenings, change),
    record: (happening, change) => recordHappening(deps, happening, change),
    operation: (span, work) => runOperation(deps, span, work),
    isRequired,
    admit: async () => {
      if (isRequired) await admitted(deps);
    },
    gap: deps.ledger.gap,
  };
}

async function admitted({ database }: AuditTrailDeps): Promise<void> {
  try {
    await database.checkWritable();
  } catch (cause) {
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
  happenings: Happenings<T>,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { result, told } = await deps.database.transaction(async (tx) => {
    const answer = await change(tx);
    const settled = typeof happenings === 'function' ? happenings(answer) : [happenings].flat();
    for (const happening of settled) await append(deps, tx, happening);
    return { result: answer, told: settled };
  });
  deps.ledger.written(told.map(({ span }) => span));
  for (const { event, span } of told) {
    deps.metrics.auditRecord();
    deps.report(event, span);
  }
  return result;
}

async function recordHappening(
  deps: AuditTrailDeps,
  happening: Happening,
  change: ((tx: Transaction) => Promise<void>) | undefined,
): Promise<boolean> {
  const { ledger } = deps;
  let written = false;
  try {
    await deps.database.transaction(async (tx) => {
      await change?.(tx);
      await append(deps, tx, happening);
    });
    written = true;
    ledger.written([happening.span]);
    deps.metrics.auditRecord();
  } catch (error) {
    ledger.failed(happening.span);
    const fields = { event: eventName(happening.event), audit_gap: ledger.gap() };
    deps.log.error('An event could not be put on record', fields, { error, span: happening.span });
  }
  deps.report(happening.event, happening.span);
  return written;
}

function append({ auditStore, ledger, now }: AuditTrailDeps, tx: Transaction, happening: Happening) {
  return auditStore.append(tx, (head) => {
    ledger.startsAt(head.seq);
    return chainRecord(auditEntry(happening, auditStore.writerId(), now()), head);
  });
}

function auditEntry({ event, by, span, digests = {} }: Happening, writerId: string, timeMs: number): AuditEntry {
  const { traceId, spanId } = span.spanContext();
  return {
    writer_id: writerId,
    time: isoTime(timeMs),
    kind: event.kind,
    event: eventName(event),
    target: eventTarget(event).toWellFormed(),
    outcome: eventOutcome(event),
    agent_id: by.agentId,
    namespace: by.namespace,
    key_id: by.keyId,
    trace_id: traceId,
    span_id: spanId,
    fields: definedFields(event.fields),
    ...(digests.arguments !== undefined && { arguments_digest: digests.arguments }),
    ...(digests.result !== undefined && { result_digest: digests.result }),
  };
}

/** The name an event has on record: that of its closed list, or the log message of a tool outcome. */
function eventName(event: HubEvent): string {
  return event.kind === 'tool_outcome' ? 'TOOL_OUTCOME' : event.name;
}

/** On what it was done: a kind and a name, as far as the event's fields say. */
function eventTarget({ kind, fields }: HubEvent): string {
  const { server_id: serverId, tool_name: toolName, skill_name: skillName, key_id: keyId } = fields;
  if (skillName !== undefined) return `skill:${skillName}`;
  if (serverId !== undefined) return toolName === undefined ? `server:${serverId}` : `tool:${serverId}/${toolName}`;
  if (keyId !== undefined) return `key:${keyId}`;
  return kind === 'monitoring' ? 'scheduler' : 'hub';
}

function eventOutcome(event: HubEvent): AuditEntry['outcome'] {
  if (event.kind === 'tool_outcome') return event.outcome;
  return event.kind !== 'change' && event.failed ? 'error' : 'success';
}

/** A text that is not well-formed Unicode has no canonical bytes; an upstream may name its tools so. */
function definedFields(fields: HubEvent['fields']): Record<string, string | number | boolean> {
  const defined: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) defined[key] = typeof value === 'string' ? value.toWellFormed() : value;
  }
  return defined;
}
