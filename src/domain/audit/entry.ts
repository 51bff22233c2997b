/** The audit entry of an event: who caused it, its target, its outcome and its fields. */
import type { Span } from '@opentelemetry/api';
import { fittingEntry } from '../../journal/record-line.ts';
import type { Caller } from '../../shapes/access.ts';
import { type AuditEntry, toolTarget } from '../../shapes/audit.ts';
import { type HubEvent, toolOutcomeEvent } from '../../shapes/event.ts';
import { isoTime } from '../../shapes/time.ts';

/** An event to record, who caused it, and the span of the operation, whose trace and span ids the record carries. */
export interface AuditedEvent {
  event: HubEvent;
  by: Caller;
  span: Span;
  /** Keyed digests of arguments and result; they are in the record only, never in telemetry. */
  digests?: { arguments?: string | undefined; result?: string | undefined };
}

/** The entry of an event, cut to the size of a record where its texts are too long. */
export function auditEntry(
  { event, by, span, digests = {} }: AuditedEvent,
  { writerId, timeMs }: { writerId: string; timeMs: number },
): AuditEntry {
  const { traceId, spanId } = span.spanContext();
  return fittingEntry({
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
  });
}

/** The event name of a record: a name of the closed lists, or `TOOL_OUTCOME`. */
export function eventName(event: HubEvent): string {
  return event.kind === 'tool_outcome' ? toolOutcomeEvent : event.name;
}

/** What the event is about, as `kind:name`, derived from the event's fields; `scheduler` or `hub` where they name nothing. */
function eventTarget({ kind, fields }: HubEvent): string {
  const { server_id: serverId, tool_name: toolName, skill_name: skillName, key_id: keyId } = fields;
  if (skillName !== undefined) return `skill:${skillName}`;
  if (serverId !== undefined)
    return toolName === undefined ? `server:${serverId}` : toolTarget(String(serverId), String(toolName));
  if (keyId !== undefined) return `key:${keyId}`;
  return kind === 'monitoring' ? 'scheduler' : 'hub';
}

function eventOutcome(event: HubEvent): AuditEntry['outcome'] {
  if (event.kind === 'tool_outcome') return event.outcome;
  return event.kind !== 'change' && event.failed ? 'error' : 'success';
}

/** Drops undefined fields and replaces ill-formed Unicode, such as in an upstream's tool name: it has no canonical bytes. */
function definedFields(fields: HubEvent['fields']): AuditEntry['fields'] {
  const defined: AuditEntry['fields'] = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) defined[key] = typeof value === 'string' ? value.toWellFormed() : value;
  }
  return defined;
}
