/** Runs one search: ranks what the indexes find, and the tools that the outcome memory recalls. */
import { createHash } from 'node:crypto';
import type { TextMatches, ToolIndex, ToolIndexQuery } from '../../search-index/tool-index.ts';
import { isWanted, toolKeyOf, toolKeyText } from '../../search-index/tool-index.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import { isWeakMatch, relatedMatches } from './match-strength.ts';
import { besideTools, isForOffers, matchOffers, type OfferMatch } from './offer-match.ts';
import type { OutcomeMemory, Recollection } from './outcome-memory.ts';
import { queryKey } from './query-key.ts';
import { type RankedTool, type RankingCandidate, rankTools } from './ranking.ts';
import { candidatesMax } from './ranking-constants.ts';

/** All tools found for a query, best first. The caller returns the first ones. */
export interface ToolMatch {
  ranked: MatchedTool[];
  queryKey: string | undefined;
  scoring: TextMatches['scoring'];
}

/** A ranked tool, and whether it matches weakly: neither its text nor any outcome of the query speaks for it. */
export interface MatchedTool extends RankedTool {
  isWeak: boolean;
}

/** A query of a key, at a time in Unix milliseconds. */
export interface MatchRequest extends Omit<ToolIndexQuery, 'limit'> {
  keyId: string;
  at: number;
}

/** Dependencies of a match. `ranking` may wrap the ranking alone, for example in a span. */
export interface MatchDeps {
  toolIndex: ToolIndex;
  /** Finds prompts and resources; if unset, there are none. */
  offerIndex?: ToolIndex | undefined;
  memory: OutcomeMemory;
  ranking?: (rank: () => RankedTool[]) => Promise<RankedTool[]>;
}

/** Finds and ranks the tools for a query. */
export async function matchTools(deps: MatchDeps, { keyId, at, ...query }: MatchRequest): Promise<ToolMatch> {
  const [matches, offers] = await Promise.all([
    isForOffers(query) ? noTools : deps.toolIndex.search({ ...query, limit: candidatesMax }),
    deps.offerIndex === undefined ? noOffers : matchOffers(deps.offerIndex, query),
  ]);
  const toolsCount = deps.toolIndex.count(query.namespace);
  const found = relatedMatches(matches.found, toolsCount);
  const key = queryKey(query.query);
  const recollection = deps.memory.recall({ namespace: query.namespace, keyId, queryKey: key, at });
  const candidates: RankingCandidate[] = found.map(({ tool, score }) => ({ tool, textScore: score }));
  candidates.push(...remembered(deps.toolIndex, query, recollection, found));
  const counts = { tools: toolsCount, offers: deps.offerIndex?.count(query.namespace) ?? 0 };
  candidates.push(...besideTools(offers, found, counts).map(({ tool, score }) => ({ tool, textScore: score })));
  const rank = () => rankTools(candidates, { keyId, recollection, definitionOf });
  const ranked = deps.ranking === undefined ? rank() : await deps.ranking(rank);
  const strongTools = found.filter(({ parts }) => !isWeakMatch(parts, toolsCount));
  const strong = new Set([...strongTools, ...offers.strong].map(({ tool }) => tool));
  const isWeak = ({ tool, parts }: RankedTool) => !strong.has(tool) && parts.ownEvidence + parts.othersEvidence <= 0;
  return {
    ranked: ranked.map((tool) => ({ ...tool, isWeak: isWeak(tool) })),
    queryKey: key,
    scoring: matches.scoring,
  };
}

const noTools: TextMatches = { found: [], scoring: 'lexical' };
const noOffers: OfferMatch = { found: [], strong: [] };

/** Tools with outcomes of this query that the index did not find and that pass the filters. */
function remembered(
  toolIndex: ToolIndex,
  query: Omit<ToolIndexQuery, 'limit'>,
  { evidence }: Recollection,
  found: TextMatches['found'],
): RankingCandidate[] {
  if (evidence.size === 0) return [];
  const present = new Set(found.map(({ tool }) => toolKeyText(toolKeyOf(tool))));
  return [...evidence.entries()].flatMap(([toolKey, { tool: key }]) => {
    const tool = present.has(toolKey) ? undefined : toolIndex.find(key);
    const isSame = tool !== undefined && toolKeyText(toolKeyOf(tool)) === toolKey;
    return isSame && isWanted(tool, query) ? [{ tool, textScore: undefined }] : [];
  });
}

const definitions = new WeakMap<IndexedTool, string>();

/** A digest that is equal for tools of the same name, description and input schema, on any server. */
function definitionOf(tool: IndexedTool): string {
  const known = definitions.get(tool);
  if (known !== undefined) return known;
  const { toolName, description, inputSchema } = tool.definition;
  const digest = createHash('sha256')
    .update(JSON.stringify([toolName, description, inputSchema, tool.offer?.kind]))
    .digest('base64');
  definitions.set(tool, digest);
  return digest;
}
