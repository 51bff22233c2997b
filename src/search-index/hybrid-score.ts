/** The hybrid score of words and meaning, and its constants with the data they were fitted on. */

/** The scores of each part, for the entries it found. */
export interface ScoreParts {
  /** Scores by id, in (0, 1]; the best is 1. */
  lexical: ReadonlyMap<string, number>;
  /** Cosines of the nearest entries, by id. */
  dense: ReadonlyMap<string, number>;
}

/** The number of nearest entries that are requested. Entries beyond them do not matter for a tool's rank. */
export const nearestMax = 100;
/** The number of entries found by words that are combined. */
export const lexicalCandidates = 200;
/** The least cosine of hashed words, which count only if no word matches. Nonsense reaches 0.19 with 399 real tools. */
export const wordlessSimilarityMin = 0.3;

/**
 * The weight of meaning relative to words, each scaled to its best. Fitted with all-MiniLM-L6-v2 on 2,889 labelled queries of
 * two sources that disagree: 1 is best for well-named tools, 3 for vaguely described ones. With 2, both are better than by words
 * or meaning alone, and within 0.03 of their best hit@1. Larger models allow more: 3 for text-embedding-3-large.
 */
const denseWeight = 2;

/**
 * The least range of cosines that meaning is scaled by. If all cosines are closer, as in a small hub or for a query that nothing
 * matches, their order is chance: 99 of 100 of those queries had a range of at most 0.29 among 200 tools of one kind.
 */
const spreadMin = 0.3;

/**
 * Scores in (0, 1], the best is 1: a convex combination of both parts, each scaled to its best (Bruch, Gai and Ingber, An
 * Analysis of Fusion Functions for Hybrid Retrieval, ACM TOIS 2023). They found it better than reciprocal rank fusion, and our
 * measurements agree.
 */
export function hybridScores({ lexical, dense }: ScoreParts): Map<string, number> {
  const cosines = [...dense.values()];
  const nearest = Math.max(...cosines);
  const floor = Math.min(...cosines, nearest - spreadMin);
  const sums = new Map(lexical);
  for (const [id, cosine] of dense) {
    // Orthogonal or opposed to the query, and therefore unrelated.
    if (cosine <= cosineMin) continue;
    sums.set(id, (sums.get(id) ?? 0) + (denseWeight * (cosine - floor)) / (nearest - floor));
  }
  const best = Math.max(...sums.values());
  return new Map([...sums].filter(([, sum]) => sum > 0).map(([id, sum]) => [id, sum / best]));
}

/** Larger than the rounding error of a cosine of 0. */
const cosineMin = 1e-6;
