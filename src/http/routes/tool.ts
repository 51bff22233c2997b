/** The routes `/v1/tools`: list, search, inspect, call and switch off tools, and read their statistics. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ServerService } from '../../domain/server-service.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import type { ToolSearch } from '../../domain/tool-search.ts';
import type { ToolStatisticsService } from '../../domain/tool-statistics-service.ts';
import { exactJson, isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { decodeCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import { searchAnswerSchema, searchRequestSchema } from '../../shapes/search-answer.ts';
import { serverIdLengthMax } from '../../shapes/server.ts';
import { isPeriod, periodRefusal, timeQuerySchema } from '../../shapes/time.ts';
import {
  callRequestSchema,
  type ListedTool,
  listedToolPosition,
  listedToolSchema,
  toolCallView,
  toolCallViewSchema,
  toolFilterSchema,
  toolPatchSchema,
  toolStatisticsView,
  toolStatisticsViewSchema,
  toolView,
  toolViewSchema,
} from '../../shapes/tool.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

const toolParameters = z.object({ server: z.string().max(serverIdLengthMax), tool: z.string().max(128) });
const tags = ['tools'];
const searchRoute = createRoute({
  method: 'post',
  path: '/v1/tools/search',
  summary: 'Find tools by describing the need',
  tags,
  security,
  request: { body: jsonBody(searchRequestSchema) },
  responses: { 200: jsonAnswer(searchAnswerSchema, 'The best tools first'), ...problemAnswers },
});
const periodQuerySchema = z.object({
  since: timeQuerySchema
    .optional()
    .meta({ description: 'Calls from this time on: ISO 8601, or how long ago (`15m`, `2h`, `7d`).' }),
  until: timeQuerySchema.optional().meta({ description: 'Calls before this time.' }),
});
const statisticsRoute = createRoute({
  method: 'get',
  path: '/v1/tools/stats',
  summary: 'Outcomes, errors and latency by tool, over a period',
  tags,
  security,
  request: { query: periodQuerySchema.refine(isPeriod, periodRefusal) },
  responses: {
    200: jsonAnswer(
      toolStatisticsViewSchema,
      'One entry for each tool that was called, counted in a view of the journal',
    ),
    ...problemAnswers,
  },
});
const listRoute = createRoute({
  method: 'get',
  path: '/v1/tools',
  summary: 'List all tools, also those that are switched off',
  tags,
  security,
  request: { query: pageQuerySchema.extend(toolFilterSchema.shape) },
  responses: { 200: jsonAnswer(pageSchema(listedToolSchema), 'Tools, by server and name'), ...problemAnswers },
});
const patchRoute = createRoute({
  method: 'patch',
  path: '/v1/tools/{server}/{tool}',
  summary: 'Switch a tool of a server on or off',
  tags,
  security,
  request: { params: toolParameters, body: jsonBody(toolPatchSchema) },
  responses: { 204: { description: 'Switched' }, ...problemAnswers },
});
const inspectRoute = createRoute({
  method: 'get',
  path: '/v1/tools/{server}/{tool}',
  summary: 'Read a tool with its schemas',
  tags,
  security,
  request: { params: toolParameters },
  responses: { 200: jsonAnswer(toolViewSchema, 'The tool'), ...problemAnswers },
});
const callRoute = createRoute({
  method: 'post',
  path: '/v1/tools/{server}/{tool}/call',
  summary: 'Call a tool; the outcome is recorded before the response',
  tags,
  security,
  request: { params: toolParameters, body: jsonBody(callRequestSchema) },
  responses: {
    200: jsonAnswer(toolCallViewSchema, "The tool's result, including an error that the tool reports itself"),
    ...problemAnswers,
  },
});

/** Dependencies of the routes. */
export interface ToolRoutesDeps {
  toolSearch: ToolSearch;
  toolCall: ToolCall;
  toolStatistics: ToolStatisticsService;
  servers: ServerService;
}

/** The routes below `/v1/tools`. */
export function toolRoutes({ toolSearch, toolCall, toolStatistics, servers }: ToolRoutesDeps): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(searchRoute, async (c) => c.json(await toolSearch.search(c.var.caller, c.req.valid('json')), 200));
  router.openapi(statisticsRoute, async (c) => {
    const found = await toolStatistics.statistics(c.var.caller, c.req.valid('query'));
    return c.json(toolStatisticsView(found), 200);
  });
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const found = await toolSearch.list(c.var.caller, { ...filter, limit, after: decodeCursor(cursor) });
    const view = (tool: ListedTool) => listedToolSchema.parse(tool);
    return c.json(pageOf(found, limit, { position: listedToolPosition, view }), 200);
  });
  router.openapi(patchRoute, async (c) => {
    const { server, tool } = c.req.valid('param');
    const { enabled } = c.req.valid('json');
    await servers.setTool(c.var.caller, { serverId: server, toolName: tool, enabled });
    return c.body(null, 204);
  });
  router.openapi(inspectRoute, async (c) => {
    const { server, tool } = c.req.valid('param');
    return c.json(toolView(await toolSearch.inspect(c.var.caller, { serverId: server, toolName: tool })), 200);
  });
  router.openapi(callRoute, async (c) => {
    const { server, tool } = c.req.valid('param');
    const { arguments: parsed, timeoutMs, searchId } = c.req.valid('json');
    const args = exactArguments(await c.req.text()) ?? parsed;
    const request = { serverId: server, toolName: tool, arguments: args, timeoutMs, searchId };
    return c.json(toolCallView(await toolCall.call(c.var.caller, request, { signal: c.req.raw.signal })), 200);
  });
  return router;
}

/** The arguments with integers that keep the digits of the body; undefined where it has none that a number cannot hold. */
function exactArguments(body: string): JsonObject | undefined {
  const exact = exactJson(body);
  return isJsonObject(exact) && isJsonObject(exact.arguments) ? exact.arguments : undefined;
}
