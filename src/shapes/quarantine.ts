/** The quarantine: skills and tools that policy blocks, holds or notes, and the decisions of operators. */
import { z } from 'zod';
import { filterTextSchema } from './page.ts';
import { scanFindingSchema } from './scan.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/**
 * `blocked`: refused. `held`: stored but not in use. `noted`: in use, and listed for an operator to read.
 * `approved`: an operator approved it. `refused`: an operator refused it, so that it cannot be used whatever policy says. Both are
 * for one digest only.
 */
export const quarantineStateSchema = z.enum(['blocked', 'held', 'noted', 'approved', 'refused']);
export type QuarantineState = z.infer<typeof quarantineStateSchema>;

/** The kind of content. */
export const quarantineKindSchema = z.enum(['skill', 'tool']);
export type QuarantineKind = z.infer<typeof quarantineKindSchema>;

/** A changed field of a definition. Both values are escaped and truncated; an absent value means that the field is absent. */
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
  /** The namespace of a skill, the server id of a tool, {@link upstreamSkillScope} for the skill of a server. */
  scope: z.string(),
  name: z.string(),
  digest: z.string().meta({ description: 'SHA-256 of the content. An approval is for this content only.' }),
  findings: z.array(scanFindingSchema).meta({
    description:
      'Matches of scan rules. The evidence is the passage, escaped and at most 1,000 characters. It is untrusted.',
  }),
  changes: z.array(fieldChangeSchema).meta({ description: 'Differences from the pinned definition.' }),
  createdAt: z.number(),
  decidedAt: z.number().optional(),
  decidedBy: z.string().optional(),
  reason: z.string().optional().meta({ description: 'Why an operator refused it.' }),
});

/** Filters of a list of entries, which must all match. */
export const quarantineFilterSchema = z.object({
  kind: quarantineKindSchema.optional(),
  state: quarantineStateSchema.optional(),
  query: filterTextSchema
    .optional()
    .describe('Only entries whose name, namespace or server contains this text, in any case of ASCII.'),
});
export type QuarantineFilter = z.infer<typeof quarantineFilterSchema>;

/** The body of `POST /v1/quarantine/{id}/refuse`. */
export const refusalRequestSchema = z.strictObject({
  reason: z.string().trim().min(1).max(500).describe('Why it is refused. It is recorded in the audit trail.'),
});
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>;

/** The scope of the skills of an upstream server. No namespace has a colon in its name. */
export function upstreamSkillScope(serverId: string): string {
  return `${upstreamScopePrefix}${serverId}`;
}

/** Whether a scope is that of the skills of an upstream server. */
export function isUpstreamSkillScope(scope: string): boolean {
  return scope.startsWith(upstreamScopePrefix);
}

const upstreamScopePrefix = 'server:';

/** One state of content: a skill of a namespace or a tool of a server, and the digest of its content. */
export type QuarantineSubject = Pick<QuarantineEntry, 'kind' | 'scope' | 'name' | 'digest'>;

/** The id of an entry. */
export const quarantineIdSchema = z.string().max(64);

/** The part of an entry that is stored as JSON. */
export const quarantineDetailSchema = quarantineEntrySchema.pick({ findings: true, changes: true });

/** An entry in an answer: its scope is `namespace` for a published skill, and `serverId` for a tool or skill of a server. */
export const quarantineViewSchema = quarantineEntrySchema
  .omit({ scope: true })
  .extend({
    namespace: z.string().optional().meta({ description: 'Of a published skill.' }),
    serverId: z.string().optional().meta({ description: 'Of a tool or skill of an upstream server.' }),
    createdAt: isoTimeSchema,
    decidedAt: isoTimeSchema.optional(),
  })
  .meta({ id: 'QuarantineEntry' });

/** The view of an entry. */
export function quarantineView(entry: QuarantineEntry): z.infer<typeof quarantineViewSchema> {
  return quarantineViewSchema.parse({
    ...entry,
    ...quarantineOrigin(entry),
    createdAt: isoTime(entry.createdAt),
    decidedAt: isoTime(entry.decidedAt),
  });
}

/** The origin of an entry's content: the namespace of a published skill, or the server of a tool or skill. */
export function quarantineOrigin({
  kind,
  scope,
}: Pick<QuarantineEntry, 'kind' | 'scope'>): { namespace: string } | { serverId: string } {
  if (kind === 'tool') return { serverId: scope };
  const isUpstream = isUpstreamSkillScope(scope);
  return isUpstream ? { serverId: scope.slice(upstreamScopePrefix.length) } : { namespace: scope };
}
