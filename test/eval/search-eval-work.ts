/** The worker thread of the search evaluation: figures without learning, a run of the replay, or times. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import type { EvalScoring } from './eval-index.ts';
import { createAdapter, type EvalTool, indexedTools, type RankerAdapter } from './ranker-adapter.ts';
import { type EvalSubset, loadQueries, loadTools } from './search-eval-data.ts';
import { measureSize } from './search-eval-size.ts';
import { manyTools, measureTimes } from './search-eval-times.ts';
import { meanOf, measureSubset } from './subset-eval.ts';

/** A part to measure. */
export type EvalPart =
  | { kind: 'static'; subset: EvalSubset; scoring: EvalScoring }
  | { kind: 'lift' | 'stream' | 'stream without learning'; seed: number }
  | { kind: 'poison'; seed: number; mode: 'boost' | 'errors'; principals: number }
  | { kind: 'times' | 'size' };

const workSchema = z.object({ directory: z.string(), part: z.custom<EvalPart>() });
const { directory, part } = workSchema.parse(workerData);

parentPort?.postMessage(await measured(part));

async function measured(work: EvalPart): Promise<unknown> {
  switch (work.kind) {
    case 'static':
      return measureStatic(work);
    case 'size':
      return measureSize([...indexedTools(manyTools(await loadTools(directory, true))).servers.values()].flat());
    case 'times':
      return measureTimes(await loadTools(directory, true), await loadQueries(directory));
    default:
      return replayed(work);
  }
}

async function replayed(work: Exclude<EvalPart, { kind: 'static' | 'times' | 'size' }>): Promise<unknown> {
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

async function measureStatic({ subset, scoring }: Extract<EvalPart, { kind: 'static' }>) {
  const { gains, hits } = await measureSubset(directory, { subset, scoring });
  const [ndcg, hit1] = [meanOf(gains), meanOf(hits)];
  return {
    ...{ subset, scoring: typeof scoring === 'string' ? scoring : 'endpoint', queries: gains.length },
    ...{ ndcg: ndcg.value, ndcgError: ndcg.error, hit1: hit1.value, hit1Error: hit1.error },
  };
}
