/**
 * The arguments of `call_mcp_tool`, and a check of their usual form without the schema. Every call of an upstream tool passes
 * here, and the schema takes forty times as long. A test compares both.
 */
import { z } from 'zod';
import { isJsonObject, type JsonObject, jsonObjectSchema } from '../shapes/json.ts';
import { searchIdSchema } from '../shapes/tool.ts';

/** The arguments of a tool that names a server. */
export const serverArgument = z.strictObject({
  server_id: z.string().min(1).describe('The id of an upstream server, as list_mcp_servers returns it.'),
});

/** The arguments of a tool that names a tool. */
export const toolArgument = serverArgument.extend({
  tool_name: z.string().min(1).describe('The name of one of its tools.'),
});

/** The arguments of `call_mcp_tool`. */
export const callArguments = toolArgument.extend({
  arguments: jsonObjectSchema.default({}).describe("Arguments that fit the tool's input schema."),
  timeout_ms: z.int().min(1).optional().describe('Deadline in milliseconds.'),
  search_id: searchIdSchema
    .optional()
    .describe('The search_id of the search that led to this call. Later searches learn from it.'),
});

/** Arguments of `call_mcp_tool` that fit its schema. */
export type CallArguments = z.output<typeof callArguments>;

const plainMembers: ReadonlySet<string> = new Set(['server_id', 'tool_name', 'arguments', 'search_id']);

/**
 * The arguments, where they have the usual form: a server, a tool, an object of arguments and perhaps a search. Undefined for
 * all others, which the schema converts, accepts or refuses.
 */
export function plainCallArguments(args: unknown): CallArguments | undefined {
  if (!isJsonObject(args) || !Object.keys(args).every((name) => plainMembers.has(name))) return undefined;
  const { server_id, tool_name, arguments: toolArguments, search_id } = args;
  if (!isFilledText(server_id) || !isFilledText(tool_name) || !isPlainObject(toolArguments)) return undefined;
  if (search_id === undefined) return { server_id, tool_name, arguments: toolArguments };
  const search = searchIdSchema.safeParse(search_id);
  return search.success ? { server_id, tool_name, arguments: toolArguments, search_id: search.data } : undefined;
}

function isFilledText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Whether the schema keeps all members: it drops one that is called `__proto__`. */
function isPlainObject(value: unknown): value is JsonObject {
  return isJsonObject(value) && !Object.hasOwn(value, '__proto__');
}
