/** The audit record as the journal stores it. Field names: docs/reference.md, "Event fields". */
import { z } from 'zod';
import { recordKinds } from './audit-log/record-values.ts';
import { type Outcome, outcomeSchema } from './event.ts';

/** A SHA-256 or an HMAC-SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

const fieldValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/**
 * One audit record: who (`agent_id`, `namespace`, `key_id`) did what (`event`) to what (`target`), when, with which outcome.
 * `seq` counts from 1 without a gap. A record is stored as its canonical JSON (RFC 8785) on one line. `arguments_digest` and
 * `result_digest` are keyed digests of content that is never stored. `time` is ISO 8601 in UTC.
 */
export const auditRecordSchema = z.strictObject({
  seq: z.int().min(1),
  writer_id: z.string(),
  time: z.iso.datetime(),
  kind: z.enum(recordKinds),
  event: z.string(),
  target: z.string(),
  outcome: outcomeSchema,
  agent_id: z.string(),
  namespace: z.string(),
  key_id: z.string(),
  trace_id: z.string(),
  span_id: z.string(),
  fields: z.record(z.string(), fieldValueSchema),
  arguments_digest: digestSchema.optional(),
  result_digest: digestSchema.optional(),
  /** The id under which the record was queued with the change that it records. Absent for events without a change. */
  record_id: z.string().optional(),
  /** The number and hash that the record had in a trail of schema version 4 or older, which it was taken over from. */
  imported: z.strictObject({ seq: z.int().min(1), hash: digestSchema }).optional(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** A record before it has a number. */
export const auditEntrySchema = auditRecordSchema.omit({ seq: true });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** A record of a trail of schema version 4 or older. `hash` covers all other members, including the hash of the record before. */
export const chainedAuditRecordSchema = auditRecordSchema
  .omit({ record_id: true, imported: true })
  .extend({ previous_hash: digestSchema, hash: digestSchema });
export type ChainedAuditRecord = z.infer<typeof chainedAuditRecordSchema>;

/** A stored record. Its text stays unparsed, so that a record that was tampered with can still be reported. */
export interface StoredRecord {
  seq: number;
  body: string;
}

/**
 * Filters, order and position of `GET /v1/audit/events`. All filters that are given must match. `after` is the `seq` of the last
 * record of the previous page, in the order of the list.
 */
export interface AuditQuery {
  after?: number | undefined;
  limit: number;
  /** Oldest first by default. */
  order?: AuditOrder | undefined;
  event?: string | undefined;
  agentId?: string | undefined;
  traceId?: string | undefined;
  /** `kind:name`, as in the records: `tool:github/get_issue`, `skill:invoices`, `server:github`, `key:1f…`. */
  target?: string | undefined;
  /** A server: its own events, and those of its tools. */
  serverId?: string | undefined;
  /** Only tool calls that ended so. */
  outcome?: Outcome | undefined;
  /** Unix milliseconds, inclusive. Records are in the order of time, but for one whose clock was set back. */
  since?: number | undefined;
  /** Unix milliseconds, exclusive. */
  until?: number | undefined;
}

/** The order of a list of records, by `seq`. */
export const auditOrderSchema = z.enum(['oldest', 'newest']);
export type AuditOrder = z.infer<typeof auditOrderSchema>;

/**
 * The target of a tool: `tool:`, its server and its name. The `%` and `/` of a server's id are encoded as in a URL, so that a
 * target names one tool only.
 */
export function toolTarget(serverId: string, toolName: string): string {
  return `tool:${targetSegment(serverId)}/${toolName}`;
}

/** The target of a tool that is written as `server/tool`; undefined for a text of another form. A server's id may have a slash. */
export function targetOfTool(text: string): string | undefined {
  const slash = text.lastIndexOf('/');
  return slash < 1 || slash === text.length - 1 ? undefined : toolTarget(text.slice(0, slash), text.slice(slash + 1));
}

/** A server's id as it is written in the targets of its tools. Most ids are unchanged. */
export function targetSegment(serverId: string): string {
  return serverId.replaceAll('%', '%25').replaceAll('/', '%2F');
}

/** The server's id that {@link targetSegment} encoded. */
export function serverIdOfSegment(segment: string): string {
  return segment.replaceAll('%2F', '/').replaceAll('%25', '%');
}
