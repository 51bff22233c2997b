/**
 * The writer of the audit trail: records each event with its change, and counts failed writes. A record is appended to the
 * hash chain in the transaction of the change, and then reported to telemetry. One that fails counts towards the audit gap.
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

/** An event to record, who caused it, and the span of the operation, whose trace and span ids the record carries. */
export interface AuditedEvent {
  event: HubEvent;
  by: Caller;
  span: Span;
  /** Keyed digests of arguments and result; they are in the record only, never in telemetry. */
  digests?: { arguments?: string | undefined; result?: string | undefined };
}

/** The events of a change: one, several, or a function that derives them from the result of the change. */
export type AuditedEvents<T> = AuditedEvent | readonly AuditedEvent[] | ((result: T) => readonly AuditedEvent[]);

/** The audit trail. */
export interface AuditTrail {
  /**
   * Runs `change` and writes its records in one transaction. The records may depend on the result of `change`.
   * @throws HestiaError STORAGE_FAILED; then nothing was changed and nothing is reported.
   */
  commit<T>(events: AuditedEvents<T>, change: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Records an event that has already happened, with `change` in the same transaction. Never throws: a record that
   * cannot be written is logged and counted in the gap.
   * @returns whether the record was written
   */
  record(audited: AuditedEvent, change?: (tx: Transaction) => Promise<void>): Promise<boolean>;
  /** Runs an operation that must record an event under `span`. One that ends without is logged and counted in the gap. */
  operation<T>(span: Span, work: () => Promise<T>): Promise<T>;
  /** Whether `policy.auditMode` is `required`: a call that cannot be recorded is refused. */
  isRequired: boolean;
  /**
   * Where records are required, checks by a write that the database accepts records now.
   * @throws HestiaError STORAGE_FAILED where it does not
   */
  admit(): Promise<void>;
  /** Records that are missing or unexpected since the start. Must be 0. */
  gap(): number;
}

/** Dependencies of the trail. */
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

/** Creates the trail. */
export function createAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const isRequired = deps.auditMode === 'required';
  return {
    commit: (events, change) => commitChange(deps, events, change),
    record: (audited, change) => recordEvent(deps, audited, change),
    operation: (span, work) => runOperation(deps, span, work),
    isRequired,
    admit: async () => {
      if (isRequired) await checkWritable(deps);
    },
    gap: deps.ledger.gap,
  };
}

async function checkWritable({ database }: AuditTrailDeps): Promise<void> {
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
  events: AuditedEvents<T>,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { result, recorded } = await deps.database.transaction(async (tx) => {
    const changed = await change(tx);
    const all = typeof events === 'function' ? events(changed) : [events].flat();
    for (const audited of all) await append(deps, tx, audited);
    return { result: changed, recorded: all };
  });
  deps.ledger.written(recorded.map(({ span }) => span));
  for (const { event, span } of recorded) {
    deps.metrics.auditRecord();
    deps.report(event, span);
  }
  return result;
}

async function recordEvent(
  deps: AuditTrailDeps,
  audited: AuditedEvent,
  change: ((tx: Transaction) => Promise<void>) | undefined,
): Promise<boolean> {
  const { ledger } = deps;
  let written = false;
  try {
    await deps.database.transaction(async (tx) => {
      await change?.(tx);
      await append(deps, tx, audited);
    });
    written = true;
    ledger.written([audited.span]);
    deps.metrics.auditRecord();
  } catch (error) {
    ledger.failed(audited.span);
    const fields = { event: eventName(audited.event), audit_gap: ledger.gap() };
    deps.log.error('An event could not be recorded', fields, { error, span: audited.span });
  }
  deps.report(audited.event, audited.span);
  return written;
}

function append({ auditStore, ledger, now }: AuditTrailDeps, tx: Transaction, audited: AuditedEvent) {
  return auditStore.append(tx, (head) => {
    ledger.startsAt(head.seq);
    return chainRecord(auditEntry(audited, auditStore.writerId(), now()), head);
  });
}

function auditEntry({ event, by, span, digests = {} }: AuditedEvent, writerId: string, timeMs: number): AuditEntry {
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

/** The event name of a record: a name of the closed lists, or `TOOL_OUTCOME`. */
function eventName(event: HubEvent): string {
  return event.kind === 'tool_outcome' ? 'TOOL_OUTCOME' : event.name;
}

/**
 * What the event is about, as `kind:name`, derived from the event's fields; `scheduler` or `hub` where they name nothing.
 * The `/` of a server's id is encoded before a tool, so that a target names one tool only.
 */
function eventTarget({ kind, fields }: HubEvent): string {
  const { server_id: serverId, tool_name: toolName, skill_name: skillName, key_id: keyId } = fields;
  if (skillName !== undefined) return `skill:${skillName}`;
  if (serverId !== undefined)
    return toolName === undefined ? `server:${serverId}` : `tool:${pathSegment(serverId)}/${toolName}`;
  if (keyId !== undefined) return `key:${keyId}`;
  return kind === 'monitoring' ? 'scheduler' : 'hub';
}

/** A server's id with its `%` and `/` encoded, as in a URL. Most ids have neither. */
function pathSegment(serverId: string | number | boolean): string {
  return String(serverId).replaceAll('%', '%25').replaceAll('/', '%2F');
}

function eventOutcome(event: HubEvent): AuditEntry['outcome'] {
  if (event.kind === 'tool_outcome') return event.outcome;
  return event.kind !== 'change' && event.failed ? 'error' : 'success';
}

/** Drops undefined fields and replaces ill-formed Unicode, such as in an upstream's tool name: it has no canonical bytes. */
function definedFields(fields: HubEvent['fields']): Record<string, string | number | boolean> {
  const defined: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) defined[key] = typeof value === 'string' ? value.toWellFormed() : value;
  }
  return defined;
}
