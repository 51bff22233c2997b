/**
 * The lines of an audit export, format 2: header, records, checkpoints and the signed end.
 * Each line is canonical JSON (RFC 8785). Records are the lines of the journal, unchanged. A checkpoint is a signed note of
 * C2SP tlog-checkpoint.
 */
import { z } from 'zod';

/** The `type` of the first line. Its number increases when the meaning of a member changes. */
export const exportHeaderType = 'hestia.audit.export/2';

/** The `type` of a line with a checkpoint. */
export const exportCheckpointType = 'hestia.audit.checkpoint/2';

/** The `type` of the last line. */
export const exportEndType = 'hestia.audit.end/2';

/** A SHA-256 in base64 (RFC 4648, section 4), as checkpoints and proofs of C2SP have it. */
const hashSchema = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'must be the base64 of 32 bytes');

/**
 * The first line. It is not signed: a checkpoint binds the frontier, and a reader trusts keys of their own.
 * `frontier` holds the roots of the perfect subtrees over the records before `first_seq`, which retention deleted, the largest
 * first; it is empty where `first_seq` is 1. `vkeys` are the verifier keys (C2SP signed-note) that sign checkpoints now.
 */
export const auditExportHeaderSchema = z.strictObject({
  type: z.literal(exportHeaderType),
  origin: z.string().min(1),
  writer_id: z.string(),
  vkeys: z.array(z.string()).min(1).max(64),
  first_seq: z.int().min(1),
  frontier: z.array(hashSchema).max(53),
});
export type AuditExportHeader = z.infer<typeof auditExportHeaderSchema>;

/** A checkpoint after the last record that it covers. `size` is the size that the note states. */
export const auditExportCheckpointSchema = z.strictObject({
  type: z.literal(exportCheckpointType),
  size: z.int().min(1),
  note: z.string(),
});
export type AuditExportCheckpoint = z.infer<typeof auditExportCheckpointSchema>;

/**
 * The last line. `note` is the newest checkpoint; it covers all records, unless the hub could not sign the last ones. It is
 * absent if the hub never signed. A file without this line is truncated.
 */
export const auditExportEndSchema = z.strictObject({
  type: z.literal(exportEndType),
  records: z.int().min(0),
  checkpoints: z.int().min(0),
  note: z.string().optional(),
});
export type AuditExportEnd = z.infer<typeof auditExportEndSchema>;
