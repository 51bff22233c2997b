/**
 * The order of search results. Pure. Today the text score alone decides; what is learned from outcomes joins here,
 * as further terms of the same sum.
 */
import type { IndexedTool } from '../shapes/tool.ts';

/** A tool the text found, with its text score. */
export interface RankingCandidate {
  tool: IndexedTool;
  /** From the index; higher is better, comparable within one search only. */
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
  const best = Math.max(...candidates.map((candidate) => candidate.textScore), Number.MIN_VALUE);
  return candidates
    .map(({ tool, textScore }) => ({ tool, score: textScore / best }))
    .sort((left, right) => right.score - left.score || compareNames(left.tool, right.tool));
}

function compareNames(left: IndexedTool, right: IndexedTool): number {
  const leftName = `${left.definition.serverId}/${left.definition.toolName}`;
  const rightName = `${right.definition.serverId}/${right.definition.toolName}`;
  return leftName < rightName ? -1 : leftName > rightName ? 1 : 0;
}
