/**
 * The trail: each event is written to the chain in the same transaction as the change it tells of, and only then
 * reported to telemetry. What could not be written is counted as the gap.
 */
import { setImmediate } from 'node:timers/promises';
import type { Span } from '@opentelemetry/api';
import type { Caller } from '../shapes/access.ts';
import type { AuditQuery, AuditRecord, AuditVerdict } from '../shapes/audit.ts';
import type { HubEvent } from '../shapes/event.ts';
import { isoTime } from '../shapes/time.ts';
import type { AuditStore } from '../stores/audit-store.ts';
import type { Database, Transaction } from '../stores/database.ts';
import type { EventReport } from '../telemetry/event-report.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { chainRecord, verifyChain } from './audit-chain.ts';

/** One event, who caused it, and the span that stands for the operation and gives the record its ids. */
export interface Happening {
  event: HubEvent;
  by: Caller;
  span: Span;
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
  /** Operations counted since the start that are not on record. Must be 0. */
  gap(): number;
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** Walks the whole chain in pages; a broken one raises `AUDIT_CHAIN_BROKEN`. */
  verify(by: Caller, span: Span): Promise<AuditVerdict>;
}

/** What the trail is made of. */
export interface AuditTrailDeps {
  database: Database;
  auditStore: AuditStore;
  report: EventReport;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** Records read at once while verifying. */
const pageSize = 1000;

/** Makes the trail. */
export function createAuditTrail(deps: AuditTrailDeps): AuditTrail {
  const gap = { count: 0 };
  const record: AuditTrail['record'] = (happening, change) => recordHappening(deps, gap, happening, change);
  return {
    commit: (happenings, change) => commitChange(deps, happenings, change),
    record,
    gap: () => gap.count,
    list: (query) => deps.auditStore.list(query),
    verify: async (by, span) => {
      const verdict = await verifyStored(deps.auditStore);
      if (!verdict.intact) {
        const { seq, reason } = verdict.firstBad ?? {};
        const fields = { agent_id: by.agentId, namespace: by.namespace, audit_seq: seq, reason };
        await record({ event: { kind: 'security', name: 'AUDIT_CHAIN_BROKEN', failed: true, fields }, by, span });
      }
      return verdict;
    },
  };
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
  for (const { event, span } of told) {
    deps.metrics.auditRecord();
    deps.report(event, span);
  }
  return result;
}

async function recordHappening(
  deps: AuditTrailDeps,
  gap: { count: number },
  happening: Happening,
  change: ((tx: Transaction) => Promise<void>) | undefined,
): Promise<boolean> {
  let written = false;
  try {
    await deps.database.transaction(async (tx) => {
      await change?.(tx);
      await append(deps, tx, happening);
    });
    written = true;
    deps.metrics.auditRecord();
  } catch (error) {
    gap.count += 1;
    const fields = { event: eventName(happening.event), audit_gap: gap.count };
    deps.log.error('An event could not be put on record', fields, { error, span: happening.span });
  }
  deps.report(happening.event, happening.span);
  return written;
}

function append({ auditStore, now }: AuditTrailDeps, tx: Transaction, happening: Happening) {
  return auditStore.append(tx, (head) => chainRecord(auditEntry(happening, now()), head));
}

/** A verdict on what stands still: where records were pruned meanwhile, the rest is verified again. */
async function verifyStored(auditStore: AuditStore): Promise<AuditVerdict> {
  const anchor = await auditStore.anchor();
  const verdict = await verifyChain(storedPages(auditStore, anchor.seq), anchor);
  const moved = (await auditStore.anchor()).seq !== anchor.seq;
  return !verdict.intact && moved ? verifyStored(auditStore) : verdict;
}

async function* storedPages(auditStore: AuditStore, from: number) {
  let after = from;
  while (true) {
    const page = await auditStore.listRaw({ after, limit: pageSize });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.seq;
    // Reading and hashing do not wait for anything; calls get their turn between two pages.
    await setImmediate();
  }
}

function auditEntry({ event, by, span }: Happening, timeMs: number) {
  const { traceId, spanId } = span.spanContext();
  return {
    time: isoTime(timeMs),
    kind: event.kind,
    event: eventName(event),
    agent_id: by.agentId,
    namespace: by.namespace,
    key_id: by.keyId,
    trace_id: traceId,
    span_id: spanId,
    fields: definedFields(event.fields),
  };
}

/** The name an event has on record: that of its closed list, or the log message of a tool outcome. */
function eventName(event: HubEvent): string {
  return event.kind === 'tool_outcome' ? 'TOOL_OUTCOME' : event.name;
}

function definedFields(fields: HubEvent['fields']): Record<string, string | number | boolean> {
  const defined: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) defined[key] = value;
  return defined;
}
