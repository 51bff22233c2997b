/** The routes `/v1/searches`: recorded searches, what they led to, and why tools were ranked so. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ToolSearch } from '../../domain/tool-search.ts';
import type { ToolStatisticsService } from '../../domain/tool-statistics-service.ts';
import { decodeNumberCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import {
  type SearchFilter,
  searchQualitySchema,
  searchView,
  searchViewSchema,
  usedSearchView,
  usedSearchViewSchema,
} from '../../shapes/search.ts';
import { isPeriod, periodRefusal, timeQuerySchema } from '../../shapes/time.ts';
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

const filter = z.object({
  agent: z.string().max(64).optional().describe('Only searches of this agent.'),
  since: timeQuerySchema.optional(),
  until: timeQuerySchema.optional(),
  found: z.literal('nothing').optional().describe('Only searches without a result.'),
});
const listRoute = createRoute({
  method: 'get',
  path: '/v1/searches',
  summary: 'List searches with what they showed and led to, newest first; for auditors and operators',
  tags: ['tools'],
  security,
  request: { query: pageQuerySchema.extend(filter.shape).refine(isPeriod, periodRefusal) },
  responses: { 200: jsonAnswer(pageSchema(usedSearchViewSchema), 'Searches'), ...problemAnswers },
});
const qualityRoute = createRoute({
  method: 'get',
  path: '/v1/search-quality',
  summary: 'Read how good the newest 1,000 searches were; for auditors and operators',
  tags: ['tools'],
  security,
  request: { query: filter.refine(isPeriod, periodRefusal) },
  responses: { 200: jsonAnswer(searchQualitySchema, 'Their quality'), ...problemAnswers },
});

/** Dependencies of the routes. */
export interface SearchRoutesDeps {
  toolSearch: ToolSearch;
  toolStatistics: ToolStatisticsService;
}

/** The routes below `/v1/searches`, and `/v1/search-quality`. */
export function searchRoutes({ toolSearch, toolStatistics }: SearchRoutesDeps): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, ...query } = c.req.valid('query');
    const page = { ...filterOf(query), before: decodeNumberCursor(cursor), limit };
    const found = await toolStatistics.searches(c.var.caller, page);
    return c.json(pageOf(found, limit, { position: ({ position }) => position, view: usedSearchView }), 200);
  });
  router.openapi(qualityRoute, async (c) =>
    c.json(await toolStatistics.searchQuality(c.var.caller, filterOf(c.req.valid('query'))), 200),
  );
  router.openapi(explainRoute, async (c) => {
    const { searchId } = c.req.valid('param');
    return c.json(searchView(await toolSearch.explain(c.var.caller, searchId)), 200);
  });
  return router;
}

function filterOf({ agent, since, until, found }: z.infer<typeof filter>): SearchFilter {
  return { agentId: agent, since, until, foundNothing: found === 'nothing' };
}
