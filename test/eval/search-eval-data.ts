/** Reads the data set of the search evaluation, which is not part of the repository. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { EvalTool } from './ranker-adapter.ts';

/** A query and its one correct tool. */
export interface EvalQuery {
  id: string;
  text: string;
  toolId: string;
}

const toolSchema = z.object({
  id: z.string(),
  server: z.string(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: z.record(z.string(), z.unknown()).optional(),
});

/** The labelled tools, optionally with distractors. */
export async function loadTools(directory: string, withDistractors: boolean): Promise<EvalTool[]> {
  const labelled = lines(await readFile(join(directory, 'tools.jsonl'), 'utf8'));
  const others = withDistractors
    ? lines(gunzipSync(await readFile(join(directory, 'distractors.jsonl.gz'))).toString('utf8'))
    : [];
  return [...labelled, ...others].map((line) => {
    const { description, input_schema, ...tool } = toolSchema.parse(JSON.parse(line));
    return { ...tool, ...(description !== undefined && { description }), ...(input_schema && { input_schema }) };
  });
}

/** The queries with their labels. */
export async function loadQueries(directory: string): Promise<EvalQuery[]> {
  const labels = new Map(
    lines(await readFile(join(directory, 'qrels.tsv'), 'utf8'))
      .slice(1)
      .map((line) => line.split('\t'))
      .map(([query = '', tool = '']) => [query, tool]),
  );
  const querySchema = z.object({ id: z.string(), text: z.string() });
  return lines(await readFile(join(directory, 'queries.jsonl'), 'utf8')).map((line) => {
    const query = querySchema.parse(JSON.parse(line));
    return { ...query, toolId: labels.get(query.id) ?? '' };
  });
}

/** The subsets that are measured: the tools of one source or all, without and with distractors. */
export const evalSubsets = ['azure in 200', 'toole in 199', 'all in 399', 'azure in 5,582'] as const;

/** One subset. */
export type EvalSubset = (typeof evalSubsets)[number];

/** The tools and the queries of a subset. */
export async function loadSubset(
  directory: string,
  subset: EvalSubset,
): Promise<{ tools: EvalTool[]; queries: EvalQuery[] }> {
  const source = subset.startsWith('azure') ? 'azure/' : subset.startsWith('toole') ? 'toole/' : '';
  const isLarge = subset === 'azure in 5,582';
  const tools = (await loadTools(directory, isLarge)).filter(({ id }) => isLarge || id.startsWith(source));
  const queries = (await loadQueries(directory)).filter(({ toolId }) => toolId.startsWith(source));
  return { tools, queries };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
