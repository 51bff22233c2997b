/** Recorded searches, the scores of the tools they showed, and the lessons learned from outcomes. */
import { z } from 'zod';
import { outcomeSchema } from './event.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/** The terms of a tool's score, which determine its rank. Log-odds are natural logarithms. */
export const scorePartsSchema = z.strictObject({
  /** In (0, 1], 1 for the best match by text. Absent if the text search did not find the tool. */
  textScore: z.number().optional(),
  /** Rank by text alone, from 1. */
  textRank: z.int().min(1).optional(),
  /** Log-odds that the tool is the right one, by its text and the agent's earlier use. */
  textLogOdds: z.number(),
  /** Weight of the agent's use of the tool so far. */
  affinity: z.number(),
  /** Log-odds added by the agent's own outcomes of this request. */
  ownEvidence: z.number(),
  /** Log-odds added by the outcomes of other agents, within their caps. 0 for a reader who may not see them. */
  othersEvidence: z.number(),
  /** The number of these other agents. 0 for a reader who may not see them. */
  othersCount: z.int(),
  /** Probability that the tool is the right one, given the evidence that the reader may see. */
  relevance: z.number(),
  /** Probability that a call by this agent succeeds now. */
  availability: z.number(),
  /** ln(relevance) + weight * ln(availability). Results are ordered by it, with the evidence of all agents. */
  total: z.number(),
  /** Whether the tool has this rank for exploration instead of by its total. False for a reader who may not see other agents. */
  explored: z.boolean(),
});
/** The terms as a reader sees them. */
export type VisibleScoreParts = z.infer<typeof scorePartsSchema>;

const storedPartsSchema = scorePartsSchema.extend({
  /** The availability from this agent's own calls alone. Absent in searches of earlier versions. */
  ownAvailability: z.number().optional(),
});
/** The terms as they are computed and stored. */
export type ScoreParts = z.infer<typeof storedPartsSchema>;

/** Identifies a prompt, a resource or a template of resources at its server: by its name, URI or URI template. */
export const offerReferenceSchema = z.strictObject({
  kind: z.enum(['prompts', 'resources', 'templates']),
  key: z.string(),
});
export type OfferReference = z.infer<typeof offerReferenceSchema>;

/** A tool in the results of a search, or a prompt or resource. */
export const shownToolSchema = z.strictObject({
  serverId: z.string(),
  toolName: z.string(),
  /** Absent for a tool of every namespace. */
  namespace: z.string().optional(),
  /** Present for a prompt or resource, which no call of a tool is credited to. */
  offer: offerReferenceSchema.optional(),
  parts: storedPartsSchema,
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
export type ScoreExplanation = z.infer<typeof scoreExplanationSchema>;

/** A recorded search with the reasons for the rank of each tool. */
export interface ExplainedSearch extends Omit<SearchRecord, 'shown'> {
  shown: (ShownTool & { explanation: ScoreExplanation })[];
}

/** An explained search in an answer. */
export const searchViewSchema = searchRecordSchema
  .omit({ keyId: true, queryKey: true })
  .extend({
    searchedAt: isoTimeSchema,
    shown: z.array(
      shownToolSchema
        .pick({ serverId: true, toolName: true, offer: true })
        .strip()
        .extend({ explanation: scoreExplanationSchema }),
    ),
  })
  .meta({ id: 'Search' });

/** The view of an explained search. */
export function searchView({ shown, ...record }: ExplainedSearch): z.infer<typeof searchViewSchema> {
  return searchViewSchema.parse({
    ...record,
    searchedAt: isoTime(record.searchedAt),
    shown: shown.map(({ serverId, toolName, offer, explanation }) => ({ serverId, toolName, offer, explanation })),
  });
}

/** What search learns from one outcome. */
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
  /** In [0, 1]: how much of a failure is attributed to the choice of the tool instead of to its availability. */
  blame: z.number(),
  recordedAt: z.number(),
});
export type Lesson = z.infer<typeof lessonSchema>;

/** A lesson with the text of the request that it was learned from. */
export interface LessonText {
  lesson: Lesson;
  query: string;
}

/** A call that was credited to a search, and the number of its record. */
export const searchUseSchema = z.object({
  seq: z.int(),
  searchId: z.string(),
  serverId: z.string(),
  toolName: z.string(),
  outcome: outcomeSchema,
});
export type SearchUse = z.infer<typeof searchUseSchema>;

/** Which searches: of an agent, in a time (Unix milliseconds), only those that found nothing, before a position. */
export interface SearchFilter {
  agentId: string | undefined;
  since: number | undefined;
  until: number | undefined;
  foundNothing: boolean;
}

/** A search in a list: what was asked and shown. `position` is its place in the list. */
export const listedSearchSchema = z.object({
  position: z.int(),
  searchId: z.string(),
  agentId: z.string(),
  namespace: z.string(),
  query: z.string(),
  searchedAt: z.number(),
  shown: z.array(z.tuple([z.string(), z.string()])),
});
export type ListedSearch = z.infer<typeof listedSearchSchema>;

/** A tool that a search led to, with its place among the results, from 1. */
export interface PlacedUse extends SearchUse {
  place: number;
}

/** A search with the calls that it led to, in an answer. */
export const usedSearchViewSchema = listedSearchSchema
  .omit({ position: true, shown: true })
  .extend({
    searchedAt: isoTimeSchema,
    shown: z
      .array(z.object({ serverId: z.string(), toolName: z.string() }))
      .describe('What it showed, the best first.'),
    uses: z
      .array(searchUseSchema.omit({ searchId: true }).extend({ place: z.int() }))
      .describe('The calls it led to: the number of the record, and the place of the tool from 1.'),
  })
  .meta({ id: 'UsedSearch' });

/** The view of a search with its uses. */
export function usedSearchView({
  position: _,
  shown,
  searchedAt,
  ...search
}: ListedSearch & { uses: PlacedUse[] }): z.infer<typeof usedSearchViewSchema> {
  const tools = shown.map(([serverId, toolName]) => ({ serverId, toolName }));
  const uses = search.uses.map(({ searchId: _searchId, ...use }) => use);
  return { ...search, shown: tools, uses, searchedAt: isoTime(searchedAt) };
}

const toolAddress = { serverId: z.string(), toolName: z.string() };

/** The quality of the newest searches that a filter admits. */
export const searchQualitySchema = z
  .object({
    searches: z.int().describe('The searches that were looked at, the newest first.'),
    isComplete: z.boolean().describe('Whether these are all that the filter admits.'),
    foundNothing: z.int().describe('Those without a result.'),
    used: z.int().describe('Those that led to a call.'),
    places: z
      .object({ first: z.int(), third: z.int(), tenth: z.int(), later: z.int() })
      .describe('Calls by the place of their tool: the first, up to the third, up to the tenth, and later ones.'),
    queriesWithoutResult: z.array(z.object({ query: z.string(), count: z.int() })).describe('The most frequent ones.'),
    neverUsed: z
      .array(z.object({ ...toolAddress, shown: z.int() }))
      .describe('Tools that were shown most often, and led to no call.'),
  })
  .meta({ id: 'SearchQuality' });
export type SearchQuality = z.infer<typeof searchQualitySchema>;
