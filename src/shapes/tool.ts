/** Tools: definitions, search requests and results, calls, outcomes and statistics. */
import { z } from 'zod';
import { toolErrorTypes } from './audit-log/record-values.ts';
import { type Outcome, outcomeSchema } from './event.ts';
import { type JsonObject, jsonObjectSchema, withPlainNumbers } from './json.ts';
import type { OfferReference } from './search.ts';
import { serverIdLengthMax } from './server.ts';
import { isoTime, isoTimeSchema } from './time.ts';

/** A tool as its server lists it. `inputSchema` is JSON Schema, draft 2020-12 unless `$schema` says otherwise. */
export const toolDefinitionSchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  title: z.string().optional(),
  description: z.string(),
  inputSchema: jsonObjectSchema,
  outputSchema: jsonObjectSchema.optional(),
  annotations: jsonObjectSchema.optional(),
  icons: z.array(z.unknown()).optional().describe('Icons for people, as the server lists them.'),
  execution: jsonObjectSchema.optional().describe('How the tool may be executed, such as as a task.'),
  meta: jsonObjectSchema.optional().describe('The `_meta` of the tool, such as the user interface of an MCP App.'),
});
export type ToolDefinition = z.infer<typeof toolDefinitionSchema>;

const mirroring = new WeakMap<JsonObject, boolean>();

/** Whether a schema names arguments that HTTP headers mirror (`x-mcp-header`, MCP 2026-07-28). Looked for once. */
export function mirrorsArguments(inputSchema: JsonObject): boolean {
  const known = mirroring.get(inputSchema);
  if (known !== undefined) return known;
  const mirrors = JSON.stringify(inputSchema).includes('x-mcp-header');
  mirroring.set(inputSchema, mirrors);
  return mirrors;
}

/** The source of a tool: an active skill, the hub itself, or an upstream server. */
export const toolSourceSchema = z.enum(['skill', 'hub', 'upstream']);
export type ToolSource = z.infer<typeof toolSourceSchema>;

/** What a search finds: tools by their source, and the prompts and resources of upstream servers. */
export const searchSourceSchema = z.enum([...toolSourceSchema.options, 'prompt', 'resource']);
export type SearchSource = z.infer<typeof searchSourceSchema>;

/**
 * A tool in the search index: its definition, its source and, for a skill, its namespace. The index of prompts and resources
 * has entries of the same form.
 */
export interface IndexedTool {
  source: SearchSource;
  /** Of a prompt or resource: its name and description, and the arguments of a prompt as a schema. */
  definition: ToolDefinition;
  /** Undefined for a tool of every namespace. */
  namespace: string | undefined;
  /** The skill behind the tool, where it is published and not active, so that the tool cannot be called. */
  inactiveSkill?: { name: string; ownerAgentId: string };
  /** Present for a prompt or resource, which is no tool. */
  offer?: OfferReference & { mimeType?: string | undefined };
}

/** A tool in an answer. */
export const toolViewSchema = z
  .object({ ...toolDefinitionSchema.pick({ serverId: true, toolName: true }).shape, source: toolSourceSchema })
  .extend(toolDefinitionSchema.shape)
  .meta({ id: 'Tool' });

/** The view of a tool. */
export function toolView({ source, definition }: IndexedTool): z.infer<typeof toolViewSchema> {
  const { serverId, toolName, ...rest } = definition;
  return { serverId, toolName, source: toolSourceSchema.parse(source), ...rest };
}

/** A tool in the list of all tools. */
export const listedToolSchema = z
  .object({
    serverId: z.string(),
    toolName: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    source: toolSourceSchema,
    enabled: z.boolean().describe('False for a tool that is switched off: it is not found and cannot be called.'),
  })
  .meta({ id: 'ListedTool' });
export type ListedTool = z.infer<typeof listedToolSchema>;

/** Filters of the list of all tools, which must all match. */
export const toolFilterSchema = z.object({
  serverId: z.string().max(serverIdLengthMax).optional().describe('Only tools of this server.'),
  source: toolSourceSchema.optional().describe('Only tools from this source.'),
  state: z.enum(['on', 'off']).optional().describe('Only tools that are switched on, or off.'),
});
export type ToolFilter = z.infer<typeof toolFilterSchema>;

/** The position of a tool in the list of all tools. */
export function listedToolPosition({ serverId, toolName }: Pick<ListedTool, 'serverId' | 'toolName'>): string {
  return `${serverId}\n${toolName}`;
}

/** `PATCH /v1/tools/{server}/{tool}`. */
export const toolPatchSchema = z.strictObject({ enabled: z.boolean() });

/** The id of a search, as a search returns it. */
export const searchIdSchema = z.string().regex(/^srch_[0-9a-f-]{36}$/, 'must be the search id that a search returned');

/** `POST /v1/tools/{server}/{tool}/call`; the upper bound of `timeoutMs` is a configured limit. */
export const callRequestSchema = z.strictObject({
  arguments: jsonObjectSchema.default({}),
  timeoutMs: z.int().min(1).optional(),
  searchId: searchIdSchema.optional(),
});

/** A call of a tool: its address, its arguments, and a deadline in milliseconds. */
export interface ToolCallRequest {
  serverId: string;
  toolName: string;
  arguments: JsonObject;
  timeoutMs: number | undefined;
  searchId: string | undefined;
}

/** A progress notification of MCP, passed through to a caller that requested it. */
export interface ToolProgress {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

/**
 * The result of a tool as MCP defines it (`CallToolResult`), unchanged: content blocks, structured content, error flag, and
 * fields that MCP does not define.
 */
export const toolResultSchema = z.looseObject({
  content: z.array(jsonObjectSchema),
  structuredContent: z.unknown().optional(),
  isError: z.boolean(),
  _meta: jsonObjectSchema.optional(),
});
/** A result, or the input that is needed for one; its content is empty then. */
export type ToolResult = z.infer<typeof toolResultSchema> & { inputRequired?: InputRequired };

/** The input that a server needs from the client before it answers (multi-round-trip requests of MCP 2026-07-28). */
export interface InputRequired {
  inputRequests?: JsonObject;
  requestState?: string;
}

/**
 * The result as it is digested, with numbers for long integers: a digest is computed over numbers (RFC 8785), as whoever
 * verifies it computes it.
 */
export function withPlainStructure(result: ToolResult): ToolResult {
  const { structuredContent } = result;
  const plain = withPlainNumbers(structuredContent);
  return plain === structuredContent ? result : { ...result, structuredContent: plain };
}

/** A finished call that produced a result. Its outcome is `success`, or `error` where the tool reported one itself. */
export interface ToolCallAnswer {
  callId: string;
  outcome: Outcome;
  latencyMs: number;
  result: ToolResult;
}

/** A finished call in an answer; `result.meta` is the `_meta` of the tool's result. */
export const toolCallViewSchema = z
  .object({
    callId: z.string(),
    outcome: outcomeSchema,
    latencyMs: z.number(),
    result: toolResultSchema.omit({ _meta: true }).extend({ meta: jsonObjectSchema.optional() }),
  })
  .meta({ id: 'CallAnswer' });

/** The view of a finished call. */
export function toolCallView({ result, ...call }: ToolCallAnswer): z.infer<typeof toolCallViewSchema> {
  const { _meta: meta, ...rest } = result;
  return { ...call, result: { ...rest, ...(meta !== undefined && { meta }) } };
}

/** Why a call failed. A closed list, so that it can be a metric label. */
export const toolErrorTypeSchema = z.enum(toolErrorTypes);
export type ToolErrorType = z.infer<typeof toolErrorTypeSchema>;

/**
 * How the arguments of a call compare with the input schema. `warned`: they do not fit, but the server may accept them.
 * `refused`: no server would. `unchecked_schema`: the schema cannot be compiled. `unchecked_size` and
 * `unchecked_time`: it or the arguments are too large, or the check took too long.
 */
export const argumentCheckSchema = z.enum([
  'fits',
  'warned',
  'refused',
  'unchecked_schema',
  'unchecked_size',
  'unchecked_time',
]);
export type ArgumentCheck = z.infer<typeof argumentCheckSchema>;

/** The outcome of one finished tool call, as it is stored. `latencyMs` is fractional. */
export const toolOutcomeSchema = z.strictObject({
  callId: z.string(),
  serverId: z.string(),
  toolName: z.string(),
  agentId: z.string(),
  namespace: z.string(),
  keyId: z.string(),
  outcome: outcomeSchema,
  errorType: toolErrorTypeSchema.optional(),
  latencyMs: z.number().min(0),
  searchId: z.string().optional(),
  recordedAt: z.number(),
});
export type ToolOutcome = z.infer<typeof toolOutcomeSchema>;

/** Outcomes and latency of one tool over a period, at most that of the retention. Latencies and `lastCalledAt` are milliseconds. */
export const toolStatisticsSchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  calls: z.int(),
  outcomes: z.object({ success: z.int(), error: z.int(), timeout: z.int(), abandoned: z.int() }),
  errorTypes: z.record(z.string(), z.int()).meta({ description: 'Calls that failed, by the type of their error.' }),
  latencyMsMean: z.number(),
  latencyMsP50: z.number(),
  latencyMsP95: z.number(),
  latencyMsP99: z.number(),
  lastCalledAt: z.number(),
});
export type ToolStatistics = z.infer<typeof toolStatisticsSchema>;

/** Statistics in an answer: one entry for each tool that was called. */
export const toolStatisticsViewSchema = z.object({
  items: z.array(toolStatisticsSchema.extend({ lastCalledAt: isoTimeSchema })),
});

/** The view of statistics. */
export function toolStatisticsView(items: readonly ToolStatistics[]): z.infer<typeof toolStatisticsViewSchema> {
  return { items: items.map((item) => ({ ...item, lastCalledAt: isoTime(item.lastCalledAt) })) };
}
