/** The fit of the joint score of words and meaning: on the queries of even number, reported on the others. */
import {
  type HybridConstants,
  hybridConstants,
  hybridScores,
  nearestMax,
  wordCandidates,
} from '../../src/search-index/hybrid-score.ts';
import { type Embeddings, similarity } from '../../src/search-index/vectors/embeddings.ts';
import { toolItem } from '../../src/search-index/vectors/tool-vectors.ts';
import { createEvalIndex, embeddingsOf } from './eval-index.ts';
import { indexedTools } from './ranker-adapter.ts';
import { type EvalSubset, evalSubsets, loadSubset } from './search-eval-data.ts';

/** The nDCG@10 of each half of a subset, and hit@1 of the half that is reported. */
interface FitScores {
  fitted: number;
  reported: number;
  reportedHits: number;
}

/** A model, and the constants that the hub uses with it. */
export interface FittedModel {
  embeddings: Embeddings;
  inUse: HybridConstants;
}

/** The matches of one query by words and by meaning, and the id of the correct tool. */
interface PreparedQuery {
  correct: string;
  words: Map<string, number>;
  strength: number;
  cosines: Map<string, number>;
}

/** Prepares a subset once; the result scores it with any constants. */
async function prepareFit(
  directory: string,
  subset: EvalSubset,
  embeddings: Embeddings,
): Promise<(constants: HybridConstants) => FitScores> {
  const { tools, queries } = await loadSubset(directory, subset);
  const indexed = indexedTools(tools);
  const index = await createEvalIndex(indexed.servers, 'words');
  const all = [...indexed.servers.values()].flat();
  const vectors = await embeddings.embed(
    all.map((tool) => toolItem(tool).text),
    'document',
  );
  const prepared: PreparedQuery[] = [];
  for (const { text, toolId } of queries) {
    const { found } = await index.search({ query: text, limit: wordCandidates, namespace: 'default' });
    const [vector = new Float32Array()] = await embeddings.embed([text], 'query');
    const nearest = all
      .map((tool, at) => ({ id: indexed.idOf(tool), cosine: similarity(vector, vectors[at] ?? vector) }))
      .sort((one, other) => other.cosine - one.cosine)
      .slice(0, nearestMax);
    prepared.push({
      correct: toolId,
      words: new Map(found.map(({ tool, score }) => [indexed.idOf(tool), score])),
      strength: found[0]?.parts.lexical ?? 0,
      cosines: new Map(nearest.map(({ id, cosine }) => [id, cosine])),
    });
  }
  const halves = [0, 1].map((half) => prepared.filter((_, at) => at % 2 === half));
  return (constants) => {
    const [fitted, reported] = halves.map((half) => scoresOf(half, constants));
    return { fitted: fitted?.ndcg ?? 0, reported: reported?.ndcg ?? 0, reportedHits: reported?.hits ?? 0 };
  };
}

/** The static model, or one behind an endpoint, with the constants that the hub uses with it. */
export function fittedModel(url: string | undefined, model: string): FittedModel {
  return { embeddings: embeddingsOf(url === undefined ? 'static' : { url, model }), inUse: hybridConstants };
}

/** Compares the candidates on all subsets: one line for each of the best, and one for the constants in use. */
export async function compareConstants(
  directory: string,
  { embeddings, inUse }: FittedModel,
  progress: (line: string) => void,
): Promise<string[]> {
  const scorers: Awaited<ReturnType<typeof prepareFit>>[] = [];
  for (const subset of evalSubsets) {
    progress(`prepares ${subset}`);
    scorers.push(await prepareFit(directory, subset, embeddings));
  }
  const line = (constants: HybridConstants) => {
    const scores = scorers.map((score) => score(constants));
    const fitted = scores.reduce((sum, each) => sum + each.fitted, 0) / scores.length;
    const { wordsFull, meaning, meaningNone } = constants;
    const reported = scores.map((each) => `${each.reportedHits.toFixed(3)} · ${each.reported.toFixed(3)}`).join('  ');
    return { fitted, text: `${fitted.toFixed(4)}  ${wordsFull}, ${meaning}, ${meaningNone}  other half: ${reported}` };
  };
  const best = fitCandidates(inUse)
    .map(line)
    .sort((one, other) => other.fitted - one.fitted);
  return [
    `nDCG@10: fitted half  wordsFull, meaning, meaningNone  other half, hit@1 and nDCG@10: ${evalSubsets.join(', ')}`,
    ...best.slice(0, 10).map(({ text }) => text),
    `in use: ${line(inUse).text}`,
    `words alone: ${line({ ...inUse, meaning: 0 }).text}`,
  ];
}

/** The constants that are compared. */
function fitCandidates(inUse: HybridConstants): HybridConstants[] {
  return [4, 6, 9, 12, 16].flatMap((wordsFull) =>
    [0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.25, 1.5].flatMap((meaning) =>
      [20, 25, 30, 40, 60, 100, 1000].map((meaningNone) => ({ ...inUse, wordsFull, meaning, meaningNone })),
    ),
  );
}

function scoresOf(queries: readonly PreparedQuery[], constants: HybridConstants): { ndcg: number; hits: number } {
  let gain = 0;
  let hits = 0;
  for (const { correct, ...parts } of queries) {
    const scores = hybridScores(parts, constants);
    const own = scores.get(correct);
    if (own === undefined) continue;
    let better = 0;
    for (const [id, score] of scores) if (score > own || (score === own && id < correct)) better += 1;
    if (better < 10) gain += 1 / Math.log2(better + 2);
    if (better === 0) hits += 1;
  }
  return { ndcg: gain / queries.length, hits: hits / queries.length };
}
