/** Findings of a scan of untrusted text, their severities, and the actions of policy. */
import { z } from 'zod';

/** The severity of a finding: `critical` and `high` read like an attack, `medium` needs a reader, `low` is informational. */
export const scanSeveritySchema = z.enum(['critical', 'high', 'medium', 'low']);
export type ScanSeverity = z.infer<typeof scanSeveritySchema>;

/** The action on text of a severity: `block` refuses it, `quarantine` holds it until an operator approves, `warn` accepts it. */
export const scanActionSchema = z.enum(['block', 'quarantine', 'warn']);
export type ScanAction = z.infer<typeof scanActionSchema>;

/** One match of a rule. All fields are safe to show: `evidence` is the passage, escaped, and is for operators only. */
export const scanFindingSchema = z.strictObject({
  ruleId: z.string(),
  severity: scanSeveritySchema,
  /** The part of the content: `description`, `instructions`, `files/notes.md`, `inputSchema/path`. */
  part: z.string(),
  /** The line within the part, from 1. */
  line: z.int(),
  why: z.string(),
  evidence: z.string(),
});
export type ScanFinding = z.infer<typeof scanFindingSchema>;

const filePrefix = 'files/';

/** The part of a file beside SKILL.md. */
export function filePart(path: string): string {
  return filePrefix + path;
}

/** Whether a finding is in a file beside SKILL.md. */
export function isInFile({ part }: Pick<ScanFinding, 'part'>): boolean {
  return part.startsWith(filePrefix);
}

/** Severities, worst first. */
export const scanSeverities = scanSeveritySchema.options;

/** Compares two severities, so that a sort puts the worst first. */
export function compareSeverity(one: ScanSeverity, other: ScanSeverity): number {
  return scanSeverities.indexOf(one) - scanSeverities.indexOf(other);
}

/** Limits of a scan. */
export const scanLimits = {
  /** UTF-16 units read of one part. Longer text is a finding; it never passes unread. */
  partLengthMax: 1_048_576,
  /** UTF-16 units read of one skill or tool. */
  totalLengthMax: 4_194_304,
  findingsMax: 50,
  /** UTF-16 units of a passage that is shown as evidence. */
  evidenceLengthMax: 1_000,
} as const;
