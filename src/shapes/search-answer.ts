/** Search requests and answers: references to tools, prompts and resources, and why nothing fits. */
import { z } from 'zod';
import { jsonObjectSchema } from './json.ts';
import { type OfferReference, scoreExplanationSchema } from './search.ts';
import { serverIdLengthMax } from './server.ts';
import { searchSourceSchema } from './tool.ts';

/** A found tool: a light reference, without the schema that inspection returns unless the search asked for it. */
export const toolReferenceSchema = z.object({
  serverId: z.string().describe('Its server; `hestia` for skills.'),
  toolName: z.string().describe('Its name at that server, also of a prompt or resource.'),
  source: searchSourceSchema.describe('What it is. Prompts and resources are no tools: `usage` says how to use them.'),
  description: z.string().describe('The beginning of its description.'),
  score: z.number().describe('Higher is better. Comparable within one answer only.'),
  weakMatch: z.literal(true).optional().describe('Present if the tool matches weakly: check it, or ask back.'),
  active: z.literal(false).optional().describe('Present for a published skill that is not active.'),
  activation: z.string().optional().describe('How to activate the skill, for this caller.'),
  uri: z.string().optional().describe('The URI of a resource at its server.'),
  uriTemplate: z.string().optional().describe('The URI template of resources at their server (RFC 6570).'),
  mimeType: z.string().optional().describe('The media type of a resource, as its server states it.'),
  usage: z.string().optional().describe('How to get the prompt or read the resource.'),
  inputSchema: jsonObjectSchema.optional().describe('Its input schema, if the search asked for schemas.'),
  explanation: scoreExplanationSchema.optional().describe('The reasons for its rank, if the search asked for them.'),
});
export type ToolReference = z.infer<typeof toolReferenceSchema>;

/** `POST /v1/tools/search`. */
export const searchRequestSchema = z.strictObject({
  query: z.string().trim().min(1).max(2000).describe('What the tool should do, in your own words.'),
  limit: z.int().min(1).max(50).default(10).describe('The most results to return.'),
  source: searchSourceSchema
    .optional()
    .describe('Only tools from this source, or only prompts or resources. All of them if left out.'),
  serverId: z.string().min(1).max(serverIdLengthMax).optional().describe('Only what this server has.'),
  explain: z.boolean().default(false).describe('Return the reasons for the rank of each result.'),
  includeSchemas: z.boolean().default(false).describe('Return the input schema of each result too.'),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;

/**
 * Why nothing fits. `no_tools`: there is nothing that the filters admit. `no_match`: there is something, and none of it fits.
 * `weak_matches`: every result is a weak match. The others say that tools may be missing because of their servers.
 */
export const searchReasonSchema = z.enum([
  'no_match',
  'no_tools',
  'weak_matches',
  'servers_connecting',
  'servers_unavailable',
]);
export type SearchReason = z.infer<typeof searchReasonSchema>;

/** The answer to a search. Quote `searchId` in the call that it leads to. */
export const searchAnswerSchema = z
  .object({
    searchId: z.string().describe('Quote it in the call that the search leads to.'),
    results: z.array(toolReferenceSchema).describe('The best first.'),
    reasons: z.array(searchReasonSchema).optional().describe('Why nothing fits well. Absent if a result does.'),
    serversConnecting: z
      .array(z.string())
      .optional()
      .describe('Servers that are connecting for the first time. Repeat the search to find their tools.'),
    serversUnavailable: z
      .array(z.string())
      .optional()
      .describe('Servers that are not connected. Their tools may be missing, and cannot be called.'),
    filteredCount: z
      .int()
      .optional()
      .describe('Matches that belong to other namespaces and are left out. For auditors and operators.'),
  })
  .meta({ id: 'SearchAnswer' });
export type SearchAnswer = z.infer<typeof searchAnswerSchema>;

/** The request that gets a prompt or reads a resource, in words. `where` names the endpoint, if it is not the one in use. */
export function offerUsage({ kind, key }: OfferReference, where = ''): string {
  const quoted = JSON.stringify(key);
  switch (kind) {
    case 'prompts':
      return `Get it with the MCP request prompts/get${where}, name ${quoted}.`;
    case 'resources':
      return `Read it with the MCP request resources/read${where}, uri ${quoted}.`;
    case 'templates':
      return `Fill in the template, and read it with the MCP request resources/read${where}, uri ${quoted}.`;
    default:
      return kind satisfies never;
  }
}
