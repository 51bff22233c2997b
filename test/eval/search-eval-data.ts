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

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
