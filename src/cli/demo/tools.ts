/**
 * The tools the demo may call: those of connected servers that say of themselves that they only read and reach nothing
 * outside, with arguments made from their schemas. Whatever else a hub offers is left alone.
 */
import { z } from 'zod';
import { type JsonObject, jsonObjectSchema } from '../../shapes/json.ts';
import { CommandError } from '../command-error.ts';
import type { HubClient } from '../hub-client.ts';
import { callAnswerSchema, searchAnswerSchema } from '../tool-commands.ts';
import type { DemoRandom } from './random.ts';

/** A tool to call, and arguments that should do. */
export interface DemoTool {
  serverId: string;
  toolName: string;
  /** A need that this tool serves, as an agent would write it. */
  need: string;
  /** Names of arguments it cannot do without. */
  required: readonly string[];
  goodArguments: (random: DemoRandom) => JsonObject;
}

/** What the hub has for the demo. `slow` runs for as long as it is told, `reader` fails where there is no such file. */
export interface DemoTools {
  plain: readonly DemoTool[];
  slow: DemoTool | undefined;
  reader: DemoTool | undefined;
}

const toolSchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  description: z.string(),
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

/** Wide enough that together they find what a small hub has. */
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
/** Large answers, and an environment that may hold secrets. */
const leftAlone = /env|media|tree|search_files/;

/** Looks around. @throws CommandError where the hub cannot be asked */
export async function findDemoTools(hub: HubClient, signal: AbortSignal): Promise<DemoTools> {
  const found = (await inspected(hub, await searched(hub, signal), signal)).filter(isHarmless);
  const paths = await allowedPaths(hub, found, signal);
  const usable = found.map((tool) => demoTool(tool, paths)).filter((tool) => tool !== undefined);
  return {
    plain: usable.filter(({ toolName }) => toolName !== slowToolName),
    slow: usable.find(({ toolName }) => toolName === slowToolName),
    reader: usable.find(({ toolName }) => toolName === 'read_text_file'),
  };
}

async function searched(hub: HubClient, signal: AbortSignal): Promise<{ serverId: string; toolName: string }[]> {
  const found = new Map<string, { serverId: string; toolName: string }>();
  for (const query of queries) {
    const json = { query, limit: resultsPerQuery, source: 'upstream' };
    const { results } = await hub.ask('/v1/tools/search', searchAnswerSchema, { json, signal });
    for (const { serverId, toolName } of results)
      found.set(JSON.stringify([serverId, toolName]), { serverId, toolName });
  }
  return [...found.values()].slice(0, toolsMax);
}

/** The tools with their schemas; one that vanished meanwhile is left out. */
async function inspected(
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
  const saysSo = annotations?.readOnlyHint === true && annotations.openWorldHint === false;
  return saysSo && !leftAlone.test(toolName);
}

/** A directory and a file that a server of files lets be read; undefined where there is no such server. */
async function allowedPaths(hub: HubClient, found: readonly FoundTool[], signal: AbortSignal) {
  const lister = found.find(({ toolName }) => toolName === 'list_allowed_directories');
  if (lister === undefined) return {};
  const call = (toolName: string, args: object) =>
    hub.ask(`/v1/tools/${encodeURIComponent(lister.serverId)}/${toolName}/call`, callAnswerSchema, {
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

function textOf({ result }: z.infer<typeof callAnswerSchema>): string {
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

/** A value that fits a property's schema, as far as its type tells. */
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
