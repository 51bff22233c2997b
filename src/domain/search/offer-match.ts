/** The prompts and resources that fit a query, scored so that they can be ranked among tools. */
import type { FoundTool, ToolIndex, ToolIndexQuery } from '../../search-index/tool-index.ts';
import { isWeakMatch, matchQuality, relatedMatches } from './match-strength.ts';
import { candidatesMax, offers as constants } from './ranking-constants.ts';

/** What was found, and which of it does not match weakly. */
export interface OfferMatch {
  found: FoundTool[];
  strong: FoundTool[];
}

const nothing: OfferMatch = { found: [], strong: [] };

/** Whether a query is for prompts or resources alone. */
export function isForOffers({ source }: Pick<ToolIndexQuery, 'source'>): boolean {
  return source === 'prompt' || source === 'resource';
}

/** Finds prompts and resources. None if the query is for tools of one source. */
export async function matchOffers(offerIndex: ToolIndex, query: Omit<ToolIndexQuery, 'limit'>): Promise<OfferMatch> {
  const count = offerIndex.count(query.namespace);
  if (count === 0 || !(query.source === undefined || isForOffers(query))) return nothing;
  const matches = await offerIndex.search({ ...query, limit: candidatesMax });
  const found = relatedMatches(matches.found, count);
  return { found, strong: found.filter(({ parts }) => !isWeakMatch(parts, count)) };
}

/**
 * The best offers beside the tools that the same query found, and their scores relative to those of the tools. The two indexes
 * scale their scores apart, so that the best of each has 1: the absolute quality of both says how they compare.
 */
export function besideTools(
  { found, strong }: OfferMatch,
  tools: readonly FoundTool[],
  counts: { offers: number; tools: number },
): { tool: FoundTool['tool']; score: number }[] {
  const [best] = found;
  const [bestTool] = tools;
  if (best === undefined || bestTool === undefined) return found;
  const ratio = matchQuality(best.parts, counts.offers) / matchQuality(bestTool.parts, counts.tools);
  // One that matches weakly is never put before the tools.
  const scale = constants.weight * (strong.includes(best) ? ratio : Math.min(1, ratio)) ** constants.exponent;
  return found.slice(0, constants.besideToolsMax).map(({ tool, score }) => ({ tool, score: score * scale }));
}
