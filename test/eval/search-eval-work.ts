/** The worker thread of the search evaluation: static figures, a run of the replay, or times. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { createWordIndex } from '../../src/search-index/words/word-index.ts';
import { createAdapter, type EvalTool, indexedTools, type RankerAdapter } from './ranker-adapter.ts';
import { loadQueries, loadTools } from './search-eval-data.ts';
import { measureTimes } from './search-eval-times.ts';

/** A part to measure. */
export type EvalPart =
  | { kind: 'static'; subset: 'azure in 200' | 'toole in 199' | 'all in 399' | 'azure in 5,582' }
  | { kind: 'lift' | 'stream' | 'stream without learning'; seed: number }
  | { kind: 'poison'; seed: number; mode: 'boost' | 'errors'; principals: number }
  | { kind: 'times' };

const workSchema = z.object({ directory: z.string(), part: z.custom<EvalPart>() });
const { directory, part } = workSchema.parse(workerData);

parentPort?.postMessage(await measured(part));

async function measured(work: EvalPart): Promise<unknown> {
  switch (work.kind) {
    case 'static':
      return measureStatic(work.subset);
    case 'times':
      return measureTimes(await loadTools(directory, true), await loadQueries(directory));
    default:
      return replayed(work);
  }
}

async function replayed(work: Exclude<EvalPart, { kind: 'static' | 'times' }>): Promise<unknown> {
  const replay = await import(pathToFileURL(join(directory, 'replay.mjs')).href);
  const set = replay.loadSet(directory);
  const make = (tools: readonly EvalTool[]): RankerAdapter => createAdapter({ tools });
  const withoutLearning = (tools: readonly EvalTool[]): RankerAdapter => ({ ...make(tools), record: () => undefined });
  switch (work.kind) {
    case 'lift':
      return replay.lift(set, make, { seed: work.seed });
    case 'stream':
      return replay.stream(set, make, { seed: work.seed });
    case 'stream without learning':
      return replay.stream(set, withoutLearning, { seed: work.seed });
    case 'poison':
      return replay.poison(set, make, work);
    default:
      return work satisfies never;
  }
}

/** nDCG@10 and hit@1 of the word index alone. Each query has one correct tool. */
async function measureStatic(subset: Extract<EvalPart, { kind: 'static' }>['subset']) {
  const source = subset.startsWith('azure') ? 'azure/' : subset.startsWith('toole') ? 'toole/' : '';
  const isLarge = subset === 'azure in 5,582';
  const tools = (await loadTools(directory, isLarge)).filter(({ id }) => isLarge || id.startsWith(source));
  const queries = (await loadQueries(directory)).filter(({ toolId }) => toolId.startsWith(source));
  const indexed = indexedTools(tools);
  const index = createWordIndex();
  for (const [serverId, ofServer] of indexed.servers) index.replaceServer(serverId, ofServer);
  let gain = 0;
  let hits = 0;
  for (const { text, toolId } of queries) {
    const { found } = await index.search({ query: text, limit: 10, namespace: 'default' });
    const place = found.findIndex(({ tool }) => indexed.idOf(tool) === toolId);
    if (place === 0) hits += 1;
    if (place >= 0) gain += 1 / Math.log2(place + 2);
  }
  return { subset, queries: queries.length, ndcg: gain / queries.length, hit1: hits / queries.length };
}
