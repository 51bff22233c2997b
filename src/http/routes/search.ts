/** The route `/v1/searches/{searchId}`: a recorded search with the reasons for the rank of each tool. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ToolSearch } from '../../domain/tool-search.ts';
import { searchView, searchViewSchema } from '../../shapes/search.ts';
import { searchIdSchema } from '../../shapes/tool.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const explainRoute = createRoute({
  method: 'get',
  path: '/v1/searches/{searchId}',
  summary: 'Read the results of a search and the reasons for their rank; agents read their own',
  tags: ['tools'],
  security,
  request: { params: z.object({ searchId: searchIdSchema }) },
  responses: { 200: jsonAnswer(searchViewSchema, 'The search'), ...problemAnswers },
});

/** The routes below `/v1/searches`. */
export function searchRoutes({ toolSearch }: { toolSearch: ToolSearch }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(explainRoute, async (c) => {
    const { searchId } = c.req.valid('param');
    return c.json(searchView(await toolSearch.explain(c.var.caller, searchId)), 200);
  });
  return router;
}
