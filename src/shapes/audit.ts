/** The audit record, its place in the hash chain, and the result of a verification. Field names: docs/reference.md, "Event fields". */
import { z } from 'zod';
import { outcomeSchema } from './event.ts';

/** A SHA-256 or an HMAC-SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

const fieldValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/**
 * One audit record: who (`agent_id`, `namespace`, `key_id`) did what (`event`) to what (`target`), when, with which outcome.
 * `seq` counts from 1 without a gap within one `writer_id`. `hash` is the SHA-256 of the canonical bytes (RFC 8785) of all
 * other members, including `previous_hash`. `arguments_digest` and `result_digest` are keyed digests of content that is
 * never stored. `time` is ISO 8601 in UTC.
 */
export const auditRecordSchema = z.strictObject({
  seq: z.int().min(1),
  writer_id: z.string(),
  time: z.iso.datetime(),
  kind: z.enum(['security', 'monitoring', 'tool_outcome', 'change']),
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
  previous_hash: digestSchema,
  hash: digestSchema,
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** A record before it is appended to the chain. */
export type AuditEntry = Omit<AuditRecord, 'seq' | 'previous_hash' | 'hash'>;

/** A record and its canonical text, in which it is stored and exported. */
export interface ChainedRecord {
  record: AuditRecord;
  body: string;
}

/** The head of a chain: the number and hash of its last record. */
export interface ChainHead {
  seq: number;
  hash: string;
}

/** A stored record. Its text stays unparsed, so that a record that was tampered with can still be reported. */
export interface StoredRecord {
  seq: number;
  body: string;
}

/**
 * The result of a verification. `firstBad` names the first record that fails, with the checkpoint if a checkpoint fails, and
 * the reason. `recordsUncovered` counts the records after the last checkpoint, which are chained but not yet signed.
 */
export const auditVerdictSchema = z.strictObject({
  intact: z.boolean(),
  recordsChecked: z.int(),
  checkpointsChecked: z.int(),
  recordsUncovered: z.int(),
  /** The key that the checkpoints were verified with, by the SHA-256 of its DER form. */
  keyId: z.string().optional(),
  firstSeq: z.int().optional(),
  lastSeq: z.int().optional(),
  headHash: z.string().optional(),
  firstBad: z
    .strictObject({ seq: z.int(), checkpoint: z.int().optional(), line: z.int().optional(), reason: z.string() })
    .optional(),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;

/** Filters and cursor of `GET /v1/audit/events`. `after` is the `seq` of the last record of the previous page. */
export interface AuditQuery {
  after: number;
  limit: number;
  event?: string | undefined;
  agentId?: string | undefined;
  traceId?: string | undefined;
}
