/** What a scan of untrusted text finds, and what policy makes of it. */
import { z } from 'zod';

/** How sure and how bad: `critical` and `high` are attacks by their wording, `medium` is for a reader, `low` is worth knowing. */
export const scanSeveritySchema = z.enum(['critical', 'high', 'medium', 'low']);
export type ScanSeverity = z.infer<typeof scanSeveritySchema>;

/** What is done with text of a severity. `block` refuses it, `quarantine` keeps it unused until an operator approves, `warn` lets it pass. */
export const scanActionSchema = z.enum(['block', 'quarantine', 'warn']);
export type ScanAction = z.infer<typeof scanActionSchema>;

/** One rule met at one place. Everything in it may be shown: `evidence` is escaped and cut, and is for operators only. */
export const scanFindingSchema = z.strictObject({
  ruleId: z.string(),
  severity: scanSeveritySchema,
  /** Which part of the content: `description`, `instructions`, `files/notes.md`, `inputSchema/path`. */
  part: z.string(),
  /** The line within the part, from 1. */
  line: z.int(),
  why: z.string(),
  evidence: z.string(),
});
export type ScanFinding = z.infer<typeof scanFindingSchema>;

/** Severities from the worst to the least. */
export const scanSeverities = scanSeveritySchema.options;

/** The worse of two severities comes first. */
export function compareSeverity(one: ScanSeverity, other: ScanSeverity): number {
  return scanSeverities.indexOf(one) - scanSeverities.indexOf(other);
}

/** Limits of a scan. */
export const scanLimits = {
  /** Text of one part that is read, in UTF-16 units; what is over it is a finding, never a pass. */
  partLengthMax: 262_144,
  /** Text of one skill or tool that is read. */
  totalLengthMax: 1_048_576,
  findingsMax: 50,
  evidenceLengthMax: 120,
} as const;
