/**
 * The order of search results. Pure. Today the text score alone decides; what is learned from outcomes joins here,
 * as further terms of the same sum.
 */
import type { IndexedTool } from '../shapes/tool.ts';
import { compareTools } from '../stores/tool-index.ts';

/** A tool the text found, with its text score. */
export interface RankingCandidate {
  tool: IndexedTool;
  /** From the index, in (0, 1]; 1 for the best of this search. */
  textScore: number;
}

/** A candidate in its place, with the score it got there by. */
export interface RankedTool {
  tool: IndexedTool;
  /** In (0, 1]; 1 for the best of this search. */
  score: number;
}

/** Orders candidates, best first; equal scores by server and name, so that the same search answers the same. */
export function rankTools(candidates: readonly RankingCandidate[]): RankedTool[] {
  return candidates
    .map(({ tool, textScore }) => ({ tool, score: textScore }))
    .sort((left, right) => right.score - left.score || compareTools(left.tool, right.tool));
}
