/** The audit record: what is hashed, chained and exported. Its field names are those of the signals (CONTRACT 6). */
import { z } from 'zod';

const fieldValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/**
 * One record. `seq` counts from 1 without a gap; `hash` is the SHA-256 (hex) of the previous hash and the
 * canonical bytes (RFC 8785) of all other fields. `time` is ISO 8601 in UTC.
 */
export const auditRecordSchema = z.strictObject({
  seq: z.int().min(1),
  time: z.iso.datetime(),
  kind: z.enum(['security', 'monitoring', 'tool_outcome', 'change']),
  event: z.string(),
  agent_id: z.string(),
  namespace: z.string(),
  key_id: z.string(),
  trace_id: z.string(),
  span_id: z.string(),
  fields: z.record(z.string(), fieldValueSchema),
  previous_hash: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** A record before it has its place in the chain. */
export type AuditEntry = Omit<AuditRecord, 'seq' | 'previous_hash' | 'hash'>;

/** Where a chain stands: the number and hash of its last record. */
export interface ChainHead {
  seq: number;
  hash: string;
}

/** A record as it is stored, its text unparsed: one that was tampered with must still be reported. */
export interface StoredRecord {
  seq: number;
  body: string;
}

/** What a verification found. `firstBad` names the first record that does not hold and why. */
export const auditVerdictSchema = z.strictObject({
  intact: z.boolean(),
  recordsChecked: z.int(),
  firstSeq: z.int().optional(),
  lastSeq: z.int().optional(),
  headHash: z.string().optional(),
  firstBad: z.strictObject({ seq: z.int(), reason: z.string() }).optional(),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;

/** Filters and cursor of `GET /v1/audit/events`. `after` is the `seq` to continue behind. */
export interface AuditQuery {
  after: number;
  limit: number;
  event?: string | undefined;
  agentId?: string | undefined;
  traceId?: string | undefined;
}
