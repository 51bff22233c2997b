/** What LogQL may name in a log record and TraceQL on a span, from the hub's lists of names and the fields of its events. */
import { attributes, eventFieldAttributes } from '../../../src/telemetry/names.ts';

/** The event's name under the key of its kind, as `telemetry/event-report` writes it. */
const eventNames = ['security_event', 'monitoring_event', 'change_event'];

/** Fields of scheduler events (docs/reference.md), which have no attribute of their own. */
const schedulerFields = [
  'interval_hours',
  'next_run_time',
  'total_cleanups',
  'total_deleted',
  'last_run_time',
  'total_cleanups_attempted',
];

/** What `domain/access/guard` says of a refusal. */
const refusalFields = ['action', 'role'];

/** What Loki makes of a record's own parts. */
const recordFields = ['trace_id', 'span_id', 'severity_text', 'severity_number'];

/** Fields of log records in Loki. */
export const emittedFields: ReadonlySet<string> = new Set([
  ...eventNames,
  ...Object.keys(eventFieldAttributes),
  ...schedulerFields,
  ...refusalFields,
  ...recordFields,
]);

/** Attributes in TraceQL, with their scope. */
export const emittedAttributes: ReadonlySet<string> = new Set([
  ...Object.values(attributes).map((name) => `span.${name}`),
  ...['service.name', 'service.namespace', 'service.instance.id', 'service.version'].map((name) => `resource.${name}`),
]);
