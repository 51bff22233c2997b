/** The result of a verification of the audit trail. */
import { z } from 'zod';

/**
 * The first fault of a trail: the record that fails, or the first and the last of a range where no more is known; the size of
 * the checkpoint that fails; the line of the export, or the file of the journal; and the reason.
 */
export const trailFaultSchema = z.strictObject({
  seq: z.int(),
  lastSeq: z.int().optional(),
  checkpoint: z.int().optional(),
  line: z.int().optional(),
  file: z.string().optional(),
  reason: z.string(),
});
export type TrailFault = z.infer<typeof trailFaultSchema>;

/** The result of a verification. */
export const auditVerdictSchema = z.strictObject({
  intact: z.boolean(),
  recordsChecked: z.int(),
  /** The checkpoints that a trusted key signed. */
  checkpointsChecked: z.int(),
  /** The records after the last of these checkpoints. */
  recordsUncovered: z.int(),
  origin: z.string().optional(),
  /** The verifier keys that were trusted: those given, and those that a signed rotation names. */
  vkeys: z.array(z.string()).optional(),
  firstSeq: z.int().optional(),
  lastSeq: z.int().optional(),
  /** The newest checkpoint that a trusted key signed. */
  note: z.string().optional(),
  firstBad: trailFaultSchema.optional(),
});
export type AuditVerdict = z.infer<typeof auditVerdictSchema>;
