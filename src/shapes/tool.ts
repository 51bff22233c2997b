/** Tools: definitions as upstreams list them, references as search answers them, calls and their results. */
import { z } from 'zod';
import { type Outcome, outcomeSchema } from './event.ts';
import { type JsonObject, jsonObjectSchema } from './json.ts';
import type { ScoreParts } from './search.ts';

/** A tool as its server lists it. `inputSchema` is JSON Schema, draft 2020-12 unless `$schema` says otherwise. */
export interface ToolDefinition {
  serverId: string;
  toolName: string;
  title: string | undefined;
  description: string;
  inputSchema: JsonObject;
  outputSchema: JsonObject | undefined;
  annotations: JsonObject | undefined;
}

/** Where a tool comes from: an active skill, the hub itself, or an upstream server. */
export const toolSourceSchema = z.enum(['skill', 'hub', 'upstream']);
export type ToolSource = z.infer<typeof toolSourceSchema>;

/** A tool in the search index: its definition, where it comes from and, for a skill, whose namespace it is in. */
export interface IndexedTool {
  source: ToolSource;
  definition: ToolDefinition;
  /** Undefined: every namespace. */
  namespace: string | undefined;
}

/** A light reference to a found tool; the schema is had from `get_tool_schema`. */
export interface ToolReference {
  serverId: string;
  toolName: string;
  source: ToolSource;
  description: string;
  /** Higher is better; comparable within one answer only. */
  score: number;
  inputSchema?: JsonObject;
  /** Why it stands where it stands, where the search asked for it. */
  explanation?: { words: string[]; parts: ScoreParts };
}

/** `POST /v1/tools/search`. */
export const searchRequestSchema = z.strictObject({
  query: z.string().trim().min(1).max(2000).describe('What the tool should do, in your own words.'),
  limit: z.int().min(1).max(50).default(10).describe('How many results at most.'),
  source: toolSourceSchema.optional().describe('Only tools from this source.'),
  serverId: z.string().min(1).max(64).optional().describe('Only tools of this server.'),
  explain: z.boolean().default(false).describe('Answer for each result why it stands where it stands.'),
  includeSchemas: z.boolean().default(false).describe('Answer input schemas too, not only light references.'),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;

/** What a search answers. Quote `searchId` in the call it leads to. */
export interface SearchAnswer {
  searchId: string;
  results: ToolReference[];
}

/** A search's id, as answered by search. */
export const searchIdSchema = z.string().regex(/^srch_[0-9a-f-]{36}$/, 'must be the search id that a search answered');

/** `POST /v1/tools/{server}/{tool}/call`; the upper bound of `timeoutMs` is a configured limit. */
export const callRequestSchema = z.strictObject({
  arguments: jsonObjectSchema.default({}),
  timeoutMs: z.int().min(1).optional(),
  searchId: searchIdSchema.optional(),
});

/** A call for the domain: which tool, with what, how long it may take. */
export interface ToolCallRequest {
  serverId: string;
  toolName: string;
  arguments: JsonObject;
  timeoutMs: number | undefined;
  searchId: string | undefined;
}

/** Progress as MCP gives it, passed through to a caller that asked for it. */
export interface ToolProgress {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

/** The result of a tool as MCP defines it (`CallToolResult`), unchanged: content blocks, structured content, error flag. */
export interface ToolResult {
  content: JsonObject[];
  structuredContent?: unknown;
  isError: boolean;
  _meta?: JsonObject;
}

/** A finished call that produced a result (its outcome is `success`, or `error` where the tool said so itself). */
export interface ToolCallAnswer {
  callId: string;
  outcome: Outcome;
  latencyMs: number;
  result: ToolResult;
}

/** Why a call failed. A closed list, so that it can be a metric label. */
export const toolErrorTypeSchema = z.enum([
  'tool_error',
  'invalid_arguments',
  'invalid_tool_schema',
  'server_unavailable',
  'connection_lost',
  'upstream_error',
  'invalid_response',
  'response_too_large',
  'timeout',
  'cancelled',
  'shutdown',
  'internal',
]);
export type ToolErrorType = z.infer<typeof toolErrorTypeSchema>;

/** One finished tool call as it is stored and learned from. `latencyMs` is in milliseconds, fractional. */
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

/** Outcomes and latency of one tool over the retention period. Latencies are milliseconds. */
export interface ToolStatistics {
  serverId: string;
  toolName: string;
  calls: number;
  outcomes: Record<Outcome, number>;
  latencyMsMean: number;
  latencyMsP95: number;
  lastCalledAt: number;
}
