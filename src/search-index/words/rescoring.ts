/** Rescoring of word matches by coverage of the query, coverage of the name, and adjacent words. */
import { textScoring } from './bm25f-constants.ts';
import type { Posting, Postings } from './postings.ts';
import type { QueryWord } from './tokenizer.ts';

/** What the rescoring reads of a document. */
export interface RescoredDocument {
  /** The ids of the stems in order, of the fields where adjacent words count. */
  readonly sequences: readonly { stems: readonly number[]; weight: number }[];
  /** The distinct stems of the name. */
  readonly nameStems: readonly Posting[];
}

/** The final score of a document from its sum, and the sum of the rareness of the distinct words that it contains. */
export type Rescoring = (document: RescoredDocument, sums: { score: number; covered: number }) => number;

/** What {@link createRescoring} needs. */
export interface RescoringDeps {
  stems: Postings;
  words: readonly QueryWord[];
  /** The sum of the rareness of all distinct words of the query. */
  totalRareness: number;
  rarenessOf: (posting: Posting | undefined) => number;
}

/** The coverage of tools found only by a typing error or an affix, which cover no word but must still be found. */
const coverageMin = 0.02;

/** Prepares the scores of one query. */
export function createRescoring(deps: RescoringDeps): Rescoring {
  const { stems, words, rarenessOf } = deps;
  const total = Math.max(deps.totalRareness, Number.MIN_VALUE);
  const query = new Set(words.map(({ stem }) => stems.find(stem)));
  const neighbours = createNeighbours(deps);
  return (document, { score, covered }) =>
    score * Math.max(coverageMin, Math.min(1, covered / total)) ** textScoring.coverage +
    textScoring.nameCoverage * nameCoverage(document, query, rarenessOf) +
    textScoring.neighbours * neighbours(document);
}

function nameCoverage(
  { nameStems }: RescoredDocument,
  query: ReadonlySet<Posting | undefined>,
  rarenessOf: RescoringDeps['rarenessOf'],
): number {
  let total = 0;
  let covered = 0;
  for (const posting of nameStems) {
    const rare = rarenessOf(posting);
    total += rare;
    if (query.has(posting)) covered += rare;
  }
  return total === 0 ? 0 : (covered * covered) / total;
}

/** Two adjacent words of the query, by the id of their stems. */
interface Pair {
  right: number;
  rare: number;
}

/** The sum over adjacent words of the query that are adjacent in a text as well. Reads each text once, by ids. */
function createNeighbours({ stems, words, rarenessOf }: RescoringDeps): (document: RescoredDocument) => number {
  const pairs: Pair[] = [];
  // The pairs that start with a stem are at the index that `starts` has for its id; 0 for none.
  const starts = new Uint8Array(stems.idsCount());
  const startingAt: number[][] = [[]];
  for (let at = 0; at + 1 < words.length; at += 1) {
    const [left, right] = [stems.find(words[at]?.stem ?? ''), stems.find(words[at + 1]?.stem ?? '')];
    if (left === undefined || right === undefined || left === right) continue;
    const start = starts[left.id] || startingAt.length;
    starts[left.id] = start;
    startingAt[start] = [...(startingAt[start] ?? []), pairs.length];
    pairs.push({ right: right.id, rare: Math.min(rarenessOf(left), rarenessOf(right)) });
  }
  const best = new Float64Array(pairs.length);
  return ({ sequences }) => {
    best.fill(0);
    for (const { stems: ids, weight } of sequences) {
      for (let at = 0; at + 1 < ids.length; at += 1) {
        const start = starts[ids[at] ?? 0] ?? 0;
        if (start === 0) continue;
        for (const pair of startingAt[start] ?? []) {
          if (pairs[pair]?.right === ids[at + 1]) best[pair] = Math.max(best[pair] ?? 0, weight);
        }
      }
    }
    return pairs.reduce((sum, { rare }, at) => sum + (best[at] ?? 0) * rare, 0);
  };
}
