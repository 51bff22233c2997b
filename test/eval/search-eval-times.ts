/**
 * Measures the times of a search, a ranking and a lesson with 10,000 tools.
 * The time of a plain loop is measured as well, to compare machines.
 */
import { matchTools } from '../../src/domain/search/match.ts';
import { createOutcomeMemory } from '../../src/domain/search/outcome-memory.ts';
import type { RankedTool } from '../../src/domain/search/ranking.ts';
import { createEvalIndex } from './eval-index.ts';
import { type EvalTool, indexedTools } from './ranker-adapter.ts';
import type { EvalQuery } from './search-eval-data.ts';

const toolsCount = 10_000;
const searchesCount = 2_000;
const lessonsCount = 30_000;
const keysCount = 8;

/** The 50th and 95th percentile in milliseconds. `loopMs` is the best of five runs of ten million additions. */
export interface SearchTimes {
  tools: number;
  loopMs: number;
  search: { p50: number; p95: number };
  rank: { p50: number; p95: number };
  learn: { p50: number; p95: number };
  /** The search by processor time of the thread, which other processes do not lengthen. */
  searchCpu: { p50: number; p95: number };
}

/** As many tools as are measured with, some of them copies. */
export function manyTools(tools: readonly EvalTool[]): EvalTool[] {
  return Array.from({ length: toolsCount }, (_, at): EvalTool | undefined => {
    const tool = tools[at % tools.length];
    return at < tools.length ? tool : tool && { ...tool, server: `${tool.server}-copy`, id: `${tool.id}-copy` };
  }).filter((tool) => tool !== undefined);
}

/** Measures with the tools and as many copies of them as are needed. */
export async function measureTimes(tools: readonly EvalTool[], queries: readonly EvalQuery[]): Promise<SearchTimes> {
  const many = manyTools(tools);
  const indexed = indexedTools(many);
  const toolIndex = await createEvalIndex(indexed.servers, 'static');
  const memory = createOutcomeMemory();
  const learn: number[] = [];
  const search: number[] = [];
  const searchCpu: number[] = [];
  const rank: number[] = [];
  const ranking = async (work: () => RankedTool[]) => timed(rank, work);
  for (let at = 0; at < searchesCount; at += 1) {
    const query = queries[(at * 7) % queries.length];
    if (query === undefined) break;
    const request = { query: query.text, namespace: 'default', keyId: `key_${at % keysCount}`, at };
    const startedAt = performance.now();
    const startedCpu = process.threadCpuUsage();
    const { ranked, queryKey } = await matchTools({ toolIndex, memory, ranking }, request);
    search.push(performance.now() - startedAt);
    const { user, system } = process.threadCpuUsage(startedCpu);
    searchCpu.push((user + system) / 1000);
    for (let lesson = 0; lesson < lessonsCount / searchesCount; lesson += 1) {
      const { serverId, toolName } = ranked[lesson % 5]?.tool.definition ?? { serverId: 'none', toolName: 'none' };
      const call = { callId: `call_${at}_${lesson}`, searchId: `srch_${at}`, namespace: 'default', serverId, toolName };
      const result = { outcome: lesson % 3 === 0 ? 'success' : 'error', latencyMs: 300, blame: 0.3 } as const;
      const key = { keyId: `key_${lesson % keysCount}`, ...(queryKey !== undefined && { queryKey }) };
      timed(learn, () => memory.learn({ ...call, ...result, ...key, recordedAt: at }));
    }
  }
  return {
    tools: many.length,
    loopMs: Math.min(...Array.from({ length: 5 }, plainLoop)),
    search: percentiles(search),
    searchCpu: percentiles(searchCpu),
    rank: percentiles(rank),
    learn: percentiles(learn),
  };
}

function timed<T>(times: number[], work: () => T): T {
  const startedAt = performance.now();
  const value = work();
  times.push(performance.now() - startedAt);
  return value;
}

function plainLoop(): number {
  const startedAt = performance.now();
  let sum = 0;
  for (let at = 0; at < 10_000_000; at += 1) sum += at % 7;
  // The sum is used so that the loop is not optimised away.
  return sum > 0 ? performance.now() - startedAt : 0;
}

function percentiles(times: number[]) {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
