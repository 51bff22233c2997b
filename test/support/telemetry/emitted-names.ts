/** The fields that LogQL queries, and the attributes that TraceQL queries, may use. */
import { attributes, eventFieldAttributes } from '../../../src/telemetry/names.ts';

/** The fields with an event's name, one for each kind of event (`telemetry/event-report`). */
const eventNames = ['security_event', 'monitoring_event', 'change_event', 'event'];

/** Fields of scheduler events (docs/reference.md), which have no attribute of their own. */
const schedulerFields = [
  'interval_hours',
  'next_run_time',
  'total_cleanups',
  'total_deleted',
  'last_run_time',
  'total_cleanups_attempted',
];

/** Fields of refusals (`domain/access/guard`). */
const refusalFields = ['action', 'role'];

/** Fields that Loki derives from the parts of a log record and from its resource. */
const recordFields = ['trace_id', 'span_id', 'severity_text', 'severity_number', 'service_instance_id'];

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
