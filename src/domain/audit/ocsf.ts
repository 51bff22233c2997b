/**
 * Export of audit records as OCSF 1.2.0 events, for SIEM tools. Refused keys become Authentication (3002), all else API
 * Activity (6003). The events are not verifiable themselves; each carries the number and the leaf hash of its record in the trail.
 */
import { leafHash } from '../../journal/merkle-tree.ts';
import { type AuditRecord, auditRecordSchema } from '../../shapes/audit.ts';
import { parsedJson } from '../../shapes/json.ts';

/** The version of the OCSF schema. */
export const ocsfVersion = '1.2.0';

/** Converts the records among these export lines to OCSF events, one a line, in pages. Other lines are dropped. */
export async function* ocsfLines(
  pages: AsyncIterable<readonly string[]>,
  productVersion: string,
): AsyncGenerator<readonly string[]> {
  for await (const page of pages) {
    yield page.flatMap((line) => {
      const record = auditRecordSchema.safeParse(parsedJson(line));
      return record.success ? [JSON.stringify(ocsfEvent(record.data, { line, productVersion }))] : [];
    });
  }
}

/** The line of the record, and the version of the hub. */
export interface EventSource {
  line: string;
  productVersion: string;
}

/** Converts one record, stored as `line`, to an OCSF event. */
export function ocsfEvent(record: AuditRecord, source: EventSource): object {
  return record.event === 'AUTH_FAILED' ? authentication(record, source) : apiActivity(record, source);
}

/** A refused key is the activity Logon; `type_uid` is the class times 100 plus the activity. */
function authentication(record: AuditRecord, source: EventSource): object {
  return {
    ...base(record, source),
    category_uid: 3,
    category_name: 'Identity & Access Management',
    class_uid: 3002,
    class_name: 'Authentication',
    activity_id: 1,
    activity_name: 'Logon',
    type_uid: 300_201,
    user: user(record),
    service: { name: 'hestia' },
    auth_protocol: 'Bearer',
    auth_protocol_id: 99,
  };
}

function apiActivity(record: AuditRecord, source: EventSource): object {
  const { id, name } = activity(record);
  return {
    ...base(record, source),
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: 6003,
    class_name: 'API Activity',
    activity_id: id,
    activity_name: name,
    type_uid: 600_300 + id,
    actor: { user: user(record), app_name: 'hestia' },
    api: {
      operation: record.event,
      service: { name: 'hestia' },
      request: { uid: record.span_id },
      response: { code: record.outcome === 'success' ? 0 : 1, ...errorOf(record) },
    },
    // The schema requires a source endpoint. The trail holds no address, so the agent takes its place.
    src_endpoint: { uid: record.agent_id, name: record.agent_id, svc_name: record.agent_id },
    resources: [{ name: record.target, type: record.target.split(':')[0], namespace: record.namespace }],
  };
}

function base(record: AuditRecord, { line, productVersion }: EventSource): object {
  const isSuccess = record.outcome === 'success';
  return {
    time: Date.parse(record.time),
    severity_id: isSuccess ? 1 : 2,
    severity: isSuccess ? 'Informational' : 'Low',
    status_id: isSuccess ? 1 : 2,
    status: isSuccess ? 'Success' : 'Failure',
    status_code: record.outcome,
    message: record.event,
    metadata: {
      version: ocsfVersion,
      product: { name: 'Hestia', vendor_name: 'Hestia', version: productVersion },
      uid: leafHash(line).toString('hex'),
      sequence: record.seq,
      correlation_uid: record.trace_id,
      event_code: record.event,
      log_name: record.writer_id,
      original_time: record.time,
      tenant_uid: record.namespace,
    },
    unmapped: record.fields,
  };
}

function user(record: AuditRecord): object {
  return { uid: record.key_id, name: record.agent_id, type: 'System', type_id: 3 };
}

function errorOf({ fields }: AuditRecord): object {
  return fields.error_type === undefined ? {} : { error: String(fields.error_type) };
}

/** The CRUD activity of the schema, or Other (99), which includes tool calls. */
function activity({ event }: AuditRecord): { id: number; name: string } {
  if (/_(?:CREATED|PUBLISHED)$/.test(event)) return { id: 1, name: 'Create' };
  if (/_(?:DELETED|REVOKED|PRUNED)$/.test(event)) return { id: 4, name: 'Delete' };
  if (/_CHANGED$/.test(event)) return { id: 3, name: 'Update' };
  return { id: 99, name: event === 'TOOL_OUTCOME' ? 'Call' : 'Other' };
}
