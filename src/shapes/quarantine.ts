/** The quarantine: skills and tool definitions that policy keeps out of use, or has marked, with what an operator decided. */
import { z } from 'zod';
import { scanFindingSchema } from './scan.ts';
import { isoTime, isoTimeSchema } from './time.ts';

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

/** An entry. Times are Unix milliseconds. */
export const quarantineEntrySchema = z.object({
  quarantineId: z.string(),
  kind: quarantineKindSchema,
  state: quarantineStateSchema,
  /** The namespace of a skill, the server id of a tool. */
  scope: z.string(),
  name: z.string(),
  digest: z.string().meta({ description: 'SHA-256 of the content; an approval is for this content alone.' }),
  findings: z
    .array(scanFindingSchema)
    .meta({ description: 'Rules met; evidence is escaped and cut, and is untrusted.' }),
  changes: z.array(fieldChangeSchema).meta({ description: 'What differs from the pinned definition.' }),
  createdAt: z.number(),
  decidedAt: z.number().optional(),
  decidedBy: z.string().optional(),
});
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>;

/** One state of content: a skill of a namespace or a tool of a server, and the digest of its content. */
export type QuarantineSubject = Pick<QuarantineEntry, 'kind' | 'scope' | 'name' | 'digest'>;

/** The id of an entry. */
export const quarantineIdSchema = z.string().max(64);

/** The part of an entry that is stored as JSON. */
export const quarantineDetailSchema = quarantineEntrySchema.pick({ findings: true, changes: true });

/** An entry in an answer, which names its scope by its kind. */
export const quarantineViewSchema = quarantineEntrySchema
  .omit({ scope: true })
  .extend({
    namespace: z.string().optional().meta({ description: 'Of a skill.' }),
    serverId: z.string().optional().meta({ description: 'Of a tool.' }),
    createdAt: isoTimeSchema,
    decidedAt: isoTimeSchema.optional(),
  })
  .meta({ id: 'QuarantineEntry' });

/** The view of an entry. */
export function quarantineView(entry: QuarantineEntry): z.infer<typeof quarantineViewSchema> {
  return quarantineViewSchema.parse({
    ...entry,
    ...(entry.kind === 'skill' ? { namespace: entry.scope } : { serverId: entry.scope }),
    createdAt: isoTime(entry.createdAt),
    decidedAt: isoTime(entry.decidedAt),
  });
}
