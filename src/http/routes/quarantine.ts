/** The routes `/v1/quarantine`: list suspected or changed content, approve or refuse it. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { QuarantineService } from '../../domain/quarantine-service.ts';
import { decodeNumberCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import {
  quarantineFilterSchema,
  quarantineIdSchema,
  quarantineView,
  quarantineViewSchema,
  refusalRequestSchema,
} from '../../shapes/quarantine.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

const tags = ['quarantine'];
const listRoute = createRoute({
  method: 'get',
  path: '/v1/quarantine',
  summary: 'List suspected skills and suspected or changed tools, newest first',
  tags,
  security,
  request: { query: pageQuerySchema.extend(quarantineFilterSchema.shape) },
  responses: { 200: jsonAnswer(pageSchema(quarantineViewSchema), 'Entries'), ...problemAnswers },
});
const approveRoute = createRoute({
  method: 'post',
  path: '/v1/quarantine/{id}/approve',
  summary: 'Approve this content, by its digest; may be repeated',
  tags,
  security,
  request: { params: z.object({ id: quarantineIdSchema }) },
  responses: { 200: jsonAnswer(quarantineViewSchema, 'The entry'), ...problemAnswers },
});
const refuseRoute = createRoute({
  method: 'post',
  path: '/v1/quarantine/{id}/refuse',
  summary: 'Refuse this content, by its digest, for a reason; may be repeated',
  tags,
  security,
  request: { params: z.object({ id: quarantineIdSchema }), body: jsonBody(refusalRequestSchema) },
  responses: { 200: jsonAnswer(quarantineViewSchema, 'The entry'), ...problemAnswers },
});

/** The routes below `/v1/quarantine`. */
export function quarantineRoutes({ quarantine }: { quarantine: QuarantineService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const found = await quarantine.list(c.var.caller, { ...filter, limit, before: decodeNumberCursor(cursor) });
    return c.json(pageOf(found, limit, { position: ({ seq }) => seq, view: quarantineView }), 200);
  });
  router.openapi(approveRoute, async (c) =>
    c.json(quarantineView(await quarantine.approve(c.var.caller, c.req.valid('param').id)), 200),
  );
  router.openapi(refuseRoute, async (c) => {
    const { reason } = c.req.valid('json');
    return c.json(quarantineView(await quarantine.refuse(c.var.caller, c.req.valid('param').id, reason)), 200);
  });
  return router;
}
