/**
 * Signed checkpoints of the audit trail, Merkle proofs, and the first and last line of an export.
 * All of them are canonical JSON (RFC 8785), one object a line.
 */
import { z } from 'zod';
import { chainedAuditRecordSchema, digestSchema } from './audit.ts';

/** The format of a checkpoint. Its number increases when the meaning of a member changes. */
export const checkpointType = 'hestia.audit.checkpoint/1';

/**
 * A signed statement that the records 1 to `last_seq` of this writer have this Merkle root.
 * `root_hash` is the tree hash of RFC 6962, section 2.1, over the canonical bytes of all records from number 1 on.
 * `head_hash` is the hash of record `last_seq`. `previous_hash` is the SHA-256 of the previous checkpoint (64 zeros for the
 * first). `signature` is Ed25519 over the canonical bytes of all other members. `key_id` is the SHA-256 of the public key in
 * DER form.
 */
export const auditCheckpointSchema = z.strictObject({
  type: z.literal(checkpointType),
  number: z.int().min(1),
  writer_id: z.string(),
  time: z.iso.datetime(),
  first_seq: z.int().min(1),
  last_seq: z.int().min(1),
  head_hash: digestSchema,
  root_hash: digestSchema,
  previous_hash: digestSchema,
  key_id: digestSchema,
  signature: z.string().regex(/^[0-9a-f]{128}$/, 'must be 128 hexadecimal digits'),
});
export type AuditCheckpoint = z.infer<typeof auditCheckpointSchema>;

/** A checkpoint and its canonical text, in which it is stored, logged and exported. */
export interface SignedCheckpoint {
  checkpoint: AuditCheckpoint;
  body: string;
}

/** The public half of the key that signs checkpoints, as PEM (SubjectPublicKeyInfo). */
export const auditKeySchema = z.strictObject({
  key_id: digestSchema,
  algorithm: z.literal('Ed25519'),
  public_key: z.string(),
});
export type AuditKey = z.infer<typeof auditKeySchema>;

/**
 * The start of a trail. `seq` is 0 if nothing was pruned; otherwise it is the last pruned record, with its checkpoint.
 * `frontier` holds the roots of the perfect subtrees over the first `seq` leaves, largest first.
 */
export const auditAnchorSchema = z.strictObject({
  seq: z.int().min(0),
  hash: digestSchema,
  frontier: z.array(digestSchema).max(53),
  checkpoint: auditCheckpointSchema.optional(),
});
export type AuditAnchor = z.infer<typeof auditAnchorSchema>;

/** The first line of an export. It is not signed: a reader verifies it against the signed anchor and a trusted key. */
export const auditExportHeaderSchema = z.strictObject({
  type: z.literal('hestia.audit.export/1'),
  writer_id: z.string(),
  key: auditKeySchema,
  anchor: auditAnchorSchema,
});
export type AuditExportHeader = z.infer<typeof auditExportHeaderSchema>;

/** The last line of an export. A file without it is truncated. */
export const auditExportEndSchema = z.strictObject({
  type: z.literal('hestia.audit.end/1'),
  records: z.int().min(0),
  checkpoints: z.int().min(0),
});
export type AuditExportEnd = z.infer<typeof auditExportEndSchema>;

/** A node of the Merkle tree over all records: the root of the leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export interface AuditTreeNode {
  level: number;
  index: number;
  hash: string;
}

/** The proof that a checkpoint includes a record: the path of RFC 6962, section 2.1.1, from leaf `seq - 1` to the checkpoint's root. */
export const auditInclusionProofSchema = z.strictObject({
  record: chainedAuditRecordSchema,
  leafHash: digestSchema,
  path: z.array(digestSchema),
  checkpoint: auditCheckpointSchema,
});
export type AuditInclusionProof = z.infer<typeof auditInclusionProofSchema>;

/** The proof that a checkpoint only appends to an earlier one: the path of RFC 6962, section 2.1.2, between their sizes. */
export const auditConsistencyProofSchema = z.strictObject({
  from: auditCheckpointSchema,
  to: auditCheckpointSchema,
  path: z.array(digestSchema),
});
export type AuditConsistencyProof = z.infer<typeof auditConsistencyProofSchema>;
