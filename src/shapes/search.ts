/** Searches as they are recorded, and what their outcomes teach. */
import { z } from 'zod';
import { outcomeSchema } from './event.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/** Why a tool stands where it stands: each term of its score. Log-odds are natural logarithms. */
export const scorePartsSchema = z.strictObject({
  /** In (0, 1], 1 for the best by text; undefined where the text did not find the tool. */
  textScore: z.number().optional(),
  /** Place by the text alone, from 1. */
  textRank: z.int().min(1).optional(),
  /** Log-odds of being the right tool, by the text and the agent's habit. */
  textLogOdds: z.number(),
  /** Weight of the agent's use of the tool so far. */
  affinity: z.number(),
  /** Log-odds that the agent's own outcomes of this request add. */
  ownEvidence: z.number(),
  /** Log-odds that the outcomes of others add, within their caps. */
  othersEvidence: z.number(),
  /** How many others. */
  othersCount: z.int(),
  /** Probability of being the right tool, all evidence told. */
  relevance: z.number(),
  /** Probability that it answers this agent, now. */
  availability: z.number(),
  /** ln(relevance) + weight * ln(availability): what results are ordered by. */
  total: z.number(),
  /** Whether it stands here to be tried, and not for its total. */
  explored: z.boolean(),
});
export type ScoreParts = z.infer<typeof scorePartsSchema>;

/** One tool as a search showed it. */
export const shownToolSchema = z.strictObject({
  serverId: z.string(),
  toolName: z.string(),
  /** Undefined: a tool of every namespace. */
  namespace: z.string().optional(),
  parts: scorePartsSchema,
});
export type ShownTool = z.infer<typeof shownToolSchema>;

/** A recorded search: the request, the caller, and the tools that were shown. `searchedAt` is Unix milliseconds. */
export const searchRecordSchema = z.object({
  searchId: z.string(),
  keyId: z.string(),
  query: z.string(),
  /** The request's content words; absent where it has none, and then nothing is learned from it. */
  queryKey: z.string().optional(),
  agentId: z.string(),
  namespace: z.string(),
  source: z.string(),
  scoring: z.enum(['lexical', 'hybrid']),
  searchedAt: z.number(),
  shown: z.array(shownToolSchema),
});
export type SearchRecord = z.infer<typeof searchRecordSchema>;

/** The reasons for a tool's rank: sentences for a reader, and the terms of its score. */
export const scoreExplanationSchema = z
  .object({ words: z.array(z.string()), parts: scorePartsSchema })
  .meta({ id: 'ScoreExplanation' });

/** A recorded search with the reasons for the rank of each tool, one sentence each. */
export interface ExplainedSearch extends Omit<SearchRecord, 'shown'> {
  shown: (ShownTool & { reasons: string[] })[];
}

/** An explained search in an answer. */
export const searchViewSchema = searchRecordSchema
  .omit({ keyId: true, queryKey: true })
  .extend({
    searchedAt: isoTimeSchema,
    shown: z.array(
      shownToolSchema.pick({ serverId: true, toolName: true }).strip().extend({ explanation: scoreExplanationSchema }),
    ),
  })
  .meta({ id: 'Search' });

/** The view of an explained search. */
export function searchView({ shown, ...record }: ExplainedSearch): z.infer<typeof searchViewSchema> {
  return searchViewSchema.parse({
    ...record,
    searchedAt: isoTime(record.searchedAt),
    shown: shown.map(({ serverId, toolName, reasons, parts }) => ({
      serverId,
      toolName,
      explanation: { words: reasons, parts },
    })),
  });
}

/** What one outcome teaches. */
export const lessonSchema = z.strictObject({
  callId: z.string(),
  searchId: z.string(),
  namespace: z.string(),
  keyId: z.string(),
  queryKey: z.string().optional(),
  serverId: z.string(),
  toolName: z.string(),
  toolNamespace: z.string().optional(),
  outcome: outcomeSchema,
  latencyMs: z.number(),
  /** In [0, 1]: how far a failure speaks against the choice of the tool, not against its being up. */
  blame: z.number(),
  recordedAt: z.number(),
});
export type Lesson = z.infer<typeof lessonSchema>;

/** A lesson with the text of the request it was learned from. */
export interface LessonText {
  lesson: Lesson;
  query: string;
}
