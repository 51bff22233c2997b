/** The quarantine: skills and tool definitions that policy keeps out of use, or has marked, with what an operator decided. */
import { z } from 'zod';
import { scanFindingSchema } from './scan.ts';

/**
 * `blocked`: refused. `held`: there, but not in use. `noted`: in use, kept for an operator to read.
 * `approved`: an operator let it in; the approval is for this digest alone.
 */
export const quarantineStateSchema = z.enum(['blocked', 'held', 'noted', 'approved']);
export type QuarantineState = z.infer<typeof quarantineStateSchema>;

/** What an entry is about. */
export const quarantineKindSchema = z.enum(['skill', 'tool']);
export type QuarantineKind = z.infer<typeof quarantineKindSchema>;

/** One field of a definition that is not what it was; both values are escaped and cut. Absent: there was, or is, none. */
export const fieldChangeSchema = z.strictObject({
  field: z.string(),
  before: z.string().optional(),
  after: z.string().optional(),
});
export type FieldChange = z.infer<typeof fieldChangeSchema>;

/** Names one state of content: a skill of a namespace or a tool of a server, and the digest of what it says. */
export interface QuarantineSubject {
  kind: QuarantineKind;
  /** The namespace of a skill, the server id of a tool. */
  scope: string;
  name: string;
  /** SHA-256, hex. */
  digest: string;
}

/** An entry. Times are Unix milliseconds. */
export interface QuarantineEntry extends QuarantineSubject {
  quarantineId: string;
  state: QuarantineState;
  findings: z.infer<typeof scanFindingSchema>[];
  changes: FieldChange[];
  createdAt: number;
  decidedAt: number | undefined;
  decidedBy: string | undefined;
}

/** An identifier of an entry. */
export const quarantineIdSchema = z.string().max(64);

/** What is stored of an entry as JSON. */
export const quarantineDetailSchema = z.strictObject({
  findings: z.array(scanFindingSchema),
  changes: z.array(fieldChangeSchema),
});
