/** Checkpoints, proofs and keys of the audit trail as the API returns them, in the text formats of C2SP. */
import { z } from 'zod';

/** A signed checkpoint: the number of records it covers, when the hub signed it, and its note (C2SP tlog-checkpoint). */
export const auditCheckpointSchema = z.strictObject({
  size: z.int().min(1),
  /** The hub's clock. It is not signed. */
  time: z.iso.datetime(),
  note: z.string(),
});
export type AuditCheckpoint = z.infer<typeof auditCheckpointSchema>;

/**
 * The keys that sign checkpoints, for verifiers. `vkeys` are verifier keys (C2SP signed-note), the newest first; the others
 * sign for a while after a rotation. `public_key` is the newest one as PEM, and `key_id` the SHA-256 of its DER form.
 */
export const auditKeySchema = z.strictObject({
  origin: z.string(),
  algorithm: z.literal('Ed25519'),
  key_id: z.string(),
  public_key: z.string(),
  vkeys: z.array(z.string()).min(1),
});
export type AuditKey = z.infer<typeof auditKeySchema>;

/** The proof that a signed checkpoint includes a record: the line of the record as stored, and a C2SP tlog-proof. */
export const auditInclusionProofSchema = z.strictObject({
  seq: z.int().min(1),
  line: z.string(),
  proof: z.string(),
});
export type AuditInclusionProof = z.infer<typeof auditInclusionProofSchema>;

/**
 * The proof that the records under a checkpoint only add to the first `from` records: the path of RFC 6962, section 2.1.2, as
 * base64, and the signed checkpoint over `to` records.
 */
export const auditConsistencyProofSchema = z.strictObject({
  from: z.int().min(1),
  to: z.int().min(1),
  path: z.array(z.string()).max(128),
  note: z.string(),
});
export type AuditConsistencyProof = z.infer<typeof auditConsistencyProofSchema>;
