/**
 * The joint score of words and meaning, and its constants. Meaning counts where words are weak: its weight falls as the best
 * word score grows. docs/search.md has the data that the constants were fitted on.
 */

/** The matches of each part. */
export interface HybridParts {
  /** Word scores by id, in (0, 1]; the best is 1. */
  words: ReadonlyMap<string, number>;
  /** The best word score before it was scaled to 1 (BM25F), 0 if no word matches. */
  strength: number;
  /** Cosines of the nearest entries, by id. */
  cosines: ReadonlyMap<string, number>;
}

/** The number of nearest entries that are requested. Entries beyond them do not matter for a tool's rank. */
export const nearestMax = 100;
/** The number of entries found by words that are combined. */
export const wordCandidates = 200;

/** Constants of the joint score, fitted with the static model by `npm run eval:search -- --fit`. */
export const hybridConstants = {
  /** The strength from which words count in full, and their least weight. */
  wordsFull: 12,
  wordsMin: 0.02,
  /** The weight of meaning if no word matches, and the strength from which it has none. */
  meaning: 0.7,
  meaningNone: 25,
  /**
   * The least range of cosines that meaning is scaled by. If all cosines are closer, as in a small hub or for a query that
   * nothing matches, their order is chance: 99 of 100 of those queries had a range of at most 0.29 among 200 tools of one kind.
   */
  spreadMin: 0.3,
  /** The exponent of the joint score, which keeps the text from outranking what was learned from outcomes. */
  exponent: 1.5,
} as const;

/** The constants, which a fit varies. */
export type HybridConstants = { readonly [Name in keyof typeof hybridConstants]: number };

/** Scores in (0, 1] by id; the best is 1. */
export function hybridScores(
  { words, strength, cosines }: HybridParts,
  constants: HybridConstants = hybridConstants,
): Map<string, number> {
  const { wordsFull, wordsMin, meaning, meaningNone, spreadMin, exponent } = constants;
  const wordsWeight = Math.min(1, Math.max(wordsMin, strength / wordsFull));
  const meaningWeight = meaning * Math.max(0, 1 - strength / meaningNone);
  const nearest = Math.max(...cosines.values());
  const floor = Math.min(...cosines.values(), nearest - spreadMin);
  const sums = new Map<string, number>();
  for (const [id, score] of words) sums.set(id, wordsWeight * score);
  for (const [id, cosine] of cosines) {
    // Orthogonal or opposed to the query, and therefore unrelated.
    if (cosine <= cosineMin) continue;
    sums.set(id, (sums.get(id) ?? 0) + (meaningWeight * (cosine - floor)) / (nearest - floor));
  }
  const best = Math.max(...sums.values());
  return new Map([...sums].filter(([, sum]) => sum > 0).map(([id, sum]) => [id, (sum / best) ** exponent]));
}

/** Larger than the rounding error of a cosine of 0. */
const cosineMin = 1e-6;
