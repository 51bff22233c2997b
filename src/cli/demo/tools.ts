/**
 * Selection of the tools that the demo may call, with arguments generated from their schemas.
 * Only tools whose annotations declare them read-only and closed-world are called.
 */
import { z } from 'zod';
import { type JsonObject, jsonObjectSchema } from '../../shapes/json.ts';
import { searchAnswerSchema } from '../../shapes/search-answer.ts';
import { toolCallViewSchema, toolViewSchema } from '../../shapes/tool.ts';
import { CommandError } from '../command-error.ts';
import type { HubClient } from '../hub-client.ts';
import type { DemoRandom } from './random.ts';

/** A tool to call, and a generator of valid arguments. */
export interface DemoTool {
  serverId: string;
  toolName: string;
  /** A search query that should find this tool. */
  need: string;
  /** Names of the required arguments. */
  required: readonly string[];
  goodArguments: (random: DemoRandom) => JsonObject;
}

/** The tools of a hub by use. `slow` takes a duration as argument, `reader` fails for a file that does not exist. */
export interface DemoTools {
  plain: readonly DemoTool[];
  slow: DemoTool | undefined;
  reader: DemoTool | undefined;
}

const toolSchema = toolViewSchema.extend({
  inputSchema: z.looseObject({
    properties: jsonObjectSchema.default({}),
    required: z.array(z.string()).default([]),
  }),
  annotations: z
    .looseObject({ readOnlyHint: z.boolean().optional(), openWorldHint: z.boolean().optional() })
    .optional(),
});
type FoundTool = z.infer<typeof toolSchema>;

const propertySchema = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  minimum: z.number().optional(),
});

/** Broad queries that together find all tools of a small hub. */
const queries = [
  'read a file or list a directory',
  'add numbers, echo a message, get content',
  'search nodes in a knowledge graph',
  'long running operation with progress',
  'get information',
];
const resultsPerQuery = 50;
const toolsMax = 60;
const slowToolName = 'trigger-long-running-operation';
/** Excluded: tools with large results, and tools that print the environment, which may contain secrets. */
const excludedNames = /env|media|tree|search_files/;

/** Searches the hub for usable tools. @throws CommandError if the hub does not respond or refuses the request */
export async function findDemoTools(hub: HubClient, signal: AbortSignal): Promise<DemoTools> {
  const found = (await describedTools(hub, await searchedTools(hub, signal), signal)).filter(isHarmless);
  const paths = await allowedPaths(hub, found, signal);
  const usable = found.map((tool) => demoTool(tool, paths)).filter((tool) => tool !== undefined);
  return {
    plain: usable.filter(({ toolName }) => toolName !== slowToolName),
    slow: usable.find(({ toolName }) => toolName === slowToolName),
    reader: usable.find(({ toolName }) => toolName === 'read_text_file'),
  };
}

async function searchedTools(hub: HubClient, signal: AbortSignal): Promise<{ serverId: string; toolName: string }[]> {
  const found = new Map<string, { serverId: string; toolName: string }>();
  for (const query of queries) {
    const json = { query, limit: resultsPerQuery, source: 'upstream' };
    const { results } = await hub.request('/v1/tools/search', searchAnswerSchema, { json, signal });
    for (const { serverId, toolName } of results)
      found.set(JSON.stringify([serverId, toolName]), { serverId, toolName });
  }
  return [...found.values()].slice(0, toolsMax);
}

/** Fetches the definition of each tool. Omits a tool that no longer exists. */
async function describedTools(
  hub: HubClient,
  addresses: readonly { serverId: string; toolName: string }[],
  signal: AbortSignal,
): Promise<FoundTool[]> {
  const answers = await Promise.all(
    addresses.map(({ serverId, toolName }) =>
      hub.send(`/v1/tools/${encodeURIComponent(serverId)}/${encodeURIComponent(toolName)}`, { signal }),
    ),
  );
  return answers
    .map(({ body }) => toolSchema.safeParse(body))
    .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
}

function isHarmless({ toolName, annotations }: FoundTool): boolean {
  const isReadOnly = annotations?.readOnlyHint === true && annotations.openWorldHint === false;
  return isReadOnly && !excludedNames.test(toolName);
}

/** A directory and a file that the filesystem server can read; empty if no such server is connected. */
async function allowedPaths(hub: HubClient, found: readonly FoundTool[], signal: AbortSignal) {
  const lister = found.find(({ toolName }) => toolName === 'list_allowed_directories');
  if (lister === undefined) return {};
  const call = (toolName: string, args: object) =>
    hub.request(`/v1/tools/${encodeURIComponent(lister.serverId)}/${toolName}/call`, toolCallViewSchema, {
      json: { arguments: args },
      signal,
    });
  try {
    const directory = textOf(await call('list_allowed_directories', {})).match(/^(\/|[A-Z]:\\).*$/m)?.[0];
    if (directory === undefined) return {};
    const file = textOf(await call('list_directory', { path: directory })).match(/^\[FILE\] (.+)$/m)?.[1];
    return { directory, ...(file !== undefined && { file: `${directory}/${file}` }) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return {};
  }
}

function textOf({ result }: z.infer<typeof toolCallViewSchema>): string {
  return result.content.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n');
}

function demoTool(tool: FoundTool, paths: { directory?: string; file?: string }): DemoTool | undefined {
  const { serverId, toolName, description, inputSchema } = tool;
  const path = toolName.includes('director') ? paths.directory : paths.file;
  const { required, properties } = inputSchema;
  if (required.some((name) => /^paths?$/.test(name)) && path === undefined) return undefined;
  return {
    serverId,
    toolName,
    required,
    need: description.split(/[.\n]/)[0] || toolName,
    goodArguments: (random) =>
      Object.fromEntries(
        required.map((name) => [
          name,
          name === 'path' ? path : name === 'paths' ? [path] : sampleOf(properties[name], random),
        ]),
      ),
  };
}

const words = ['hestia', 'agents', 'tools', 'skills', 'traces'];

/** A value that fits the type of a property's schema. */
function sampleOf(schema: unknown, random: DemoRandom): unknown {
  const parsed = propertySchema.safeParse(schema);
  if (!parsed.success) return random.pick(words);
  const { type, enum: choices, items, minimum = 1 } = parsed.data;
  if (choices !== undefined) return random.pick(choices);
  if (type === 'number' || type === 'integer') return Math.floor(random.between(minimum, minimum + 50));
  if (type === 'boolean') return true;
  if (type === 'array') return [sampleOf(items, random)];
  if (type === 'object') return {};
  return random.pick(words);
}
