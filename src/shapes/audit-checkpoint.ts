/**
 * What signs the audit trail and what is handed out with it: checkpoints, the frame of an export, proofs. All of it is
 * canonical JSON (RFC 8785), one object a line.
 */
import { z } from 'zod';
import { auditRecordSchema, digestSchema } from './audit.ts';

/** The format of a checkpoint; a changed meaning of a member takes a new number. */
export const checkpointType = 'hestia.audit.checkpoint/1';

/**
 * A signed statement: "the records 1 to `last_seq` of this writer have this Merkle root". `root_hash` is the tree hash of
 * RFC 6962, section 2.1, over the canonical bytes of all records from number 1 on; `head_hash` is the hash of record `last_seq`;
 * `previous_hash` is the SHA-256 of the checkpoint before it (64 zeros for the first); `signature` is Ed25519 over the canonical
 * bytes of all other members; `key_id` is the SHA-256 of the public key in DER form.
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

/** A checkpoint and the canonical bytes it is kept, logged and exported as. */
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
 * Where a trail begins: nothing before it (`seq` 0), or the last pruned record with its checkpoint and the frontier there:
 * the roots of the perfect subtrees that the first `seq` leaves make, the largest first.
 */
export const auditAnchorSchema = z.strictObject({
  seq: z.int().min(0),
  hash: digestSchema,
  frontier: z.array(digestSchema).max(53),
  checkpoint: auditCheckpointSchema.optional(),
});
export type AuditAnchor = z.infer<typeof auditAnchorSchema>;

/** The first line of an export. Not signed: what it says is held against the signed anchor and the key the reader trusts. */
export const auditExportHeaderSchema = z.strictObject({
  type: z.literal('hestia.audit.export/1'),
  writer_id: z.string(),
  key: auditKeySchema,
  anchor: auditAnchorSchema,
});
export type AuditExportHeader = z.infer<typeof auditExportHeaderSchema>;

/** The last line of an export; without it the file was cut off. */
export const auditExportEndSchema = z.strictObject({
  type: z.literal('hestia.audit.end/1'),
  records: z.int().min(0),
  checkpoints: z.int().min(0),
});
export type AuditExportEnd = z.infer<typeof auditExportEndSchema>;

/** A node of the tree over all records: the root of the leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export interface AuditTreeNode {
  level: number;
  index: number;
  hash: string;
}

/** That a record is under a checkpoint: the path of RFC 6962, section 2.1.1, from leaf `seq - 1` to the checkpoint's root. */
export const auditInclusionProofSchema = z.strictObject({
  record: auditRecordSchema,
  leafHash: digestSchema,
  path: z.array(digestSchema),
  checkpoint: auditCheckpointSchema,
});
export type AuditInclusionProof = z.infer<typeof auditInclusionProofSchema>;

/** That a checkpoint only adds to an earlier one: the path of RFC 6962, section 2.1.2, between their sizes. */
export const auditConsistencyProofSchema = z.strictObject({
  from: auditCheckpointSchema,
  to: auditCheckpointSchema,
  path: z.array(digestSchema),
});
export type AuditConsistencyProof = z.infer<typeof auditConsistencyProofSchema>;
