/** `/v1/searches`: one search as it was answered, with what put each tool where it stood. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ExplainedSearch, ToolSearch } from '../../domain/tool-search.ts';
import { scorePartsSchema } from '../../shapes/search.ts';
import { isoTime } from '../../shapes/time.ts';
import { searchIdSchema } from '../../shapes/tool.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security, timeSchema } from './route-parts.ts';

/** Why a tool stands where it stands, in answers. */
export const explanationSchema = z
  .object({ words: z.array(z.string()), parts: scorePartsSchema })
  .meta({ id: 'ScoreExplanation' });

const searchSchema = z
  .object({
    searchId: z.string(),
    query: z.string(),
    agentId: z.string(),
    namespace: z.string(),
    source: z.string(),
    scoring: z.enum(['lexical', 'hybrid']),
    searchedAt: timeSchema,
    shown: z.array(z.object({ serverId: z.string(), toolName: z.string(), explanation: explanationSchema })),
  })
  .meta({ id: 'Search' });

const explainRoute = createRoute({
  method: 'get',
  path: '/v1/searches/{searchId}',
  summary: 'Read what a search showed, and why; agents read their own',
  tags: ['tools'],
  security,
  request: { params: z.object({ searchId: searchIdSchema }) },
  responses: { 200: jsonAnswer(searchSchema, 'The search'), ...problemAnswers },
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

function searchView({ keyId: _key, queryKey: _words, searchedAt, shown, ...record }: ExplainedSearch) {
  return {
    ...record,
    searchedAt: isoTime(searchedAt),
    shown: shown.map(({ serverId, toolName, reasons, parts }) => ({
      serverId,
      toolName,
      explanation: { words: reasons, parts },
    })),
  };
}
