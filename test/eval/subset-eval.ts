/** The static figures of a subset: how well each query's correct tool is placed without any learning. */
import { createEvalIndex, type EvalScoring } from './eval-index.ts';
import { indexedTools } from './ranker-adapter.ts';
import { type EvalSubset, loadSubset } from './search-eval-data.ts';

/** For each query its gain (1 / log2(place + 1) of the correct tool among ten, else 0) and whether that tool was first. */
export interface SubsetPlaces {
  gains: number[];
  hits: number[];
}

/** Measures each query of a subset. Each query has one correct tool, so that the mean gain is nDCG@10. */
export async function measureSubset(
  directory: string,
  { subset, scoring }: { subset: EvalSubset; scoring: EvalScoring },
): Promise<SubsetPlaces> {
  const { tools, queries } = await loadSubset(directory, subset);
  const indexed = indexedTools(tools);
  const index = await createEvalIndex(indexed.servers, scoring);
  const places: SubsetPlaces = { gains: [], hits: [] };
  for (const { text, toolId } of queries) {
    const { found } = await index.search({ query: text, limit: 10, namespace: 'default' });
    const place = found.findIndex(({ tool }) => indexed.idOf(tool) === toolId);
    places.gains.push(place < 0 ? 0 : 1 / Math.log2(place + 2));
    places.hits.push(place === 0 ? 1 : 0);
  }
  return places;
}

/** The mean of the values, and its standard error. */
export function meanOf(values: readonly number[]): { value: number; error: number } {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (values.length - 1);
  return { value, error: Math.sqrt(variance / values.length) };
}
