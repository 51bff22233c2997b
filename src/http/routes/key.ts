/** The routes `/v1/keys`: operators create, list and revoke API keys. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { AccessService } from '../../domain/access-service.ts';
import {
  createdKeyViewSchema,
  keyFilterSchema,
  keyRequestSchema,
  keyView,
  keyViewSchema,
} from '../../shapes/access.ts';
import { decodeCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

const tags = ['keys'];
const createKeyRoute = createRoute({
  method: 'post',
  path: '/v1/keys',
  summary: 'Create a key; its secret is shown only once',
  tags,
  security,
  request: { body: jsonBody(keyRequestSchema) },
  responses: { 201: jsonAnswer(createdKeyViewSchema, 'The key'), ...problemAnswers },
});
const listRoute = createRoute({
  method: 'get',
  path: '/v1/keys',
  summary: 'List keys, without their secrets',
  tags,
  security,
  request: { query: pageQuerySchema.extend(keyFilterSchema.shape) },
  responses: { 200: jsonAnswer(pageSchema(keyViewSchema), 'Keys'), ...problemAnswers },
});
const revokeRoute = createRoute({
  method: 'delete',
  path: '/v1/keys/{id}',
  summary: 'Revoke a key, effective at once',
  tags,
  security,
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: { 204: { description: 'Revoked' }, ...problemAnswers },
});

/** The routes below `/v1/keys`. */
export function keyRoutes({ access }: { access: AccessService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(createKeyRoute, async (c) => {
    const { key, secret } = await access.create(c.var.caller, c.req.valid('json'));
    return c.json({ ...keyView(key), key: secret }, 201);
  });
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query');
    const found = await access.list(c.var.caller, { ...filter, limit, after: decodeCursor(cursor) });
    return c.json(pageOf(found, limit, { position: ({ keyId }) => keyId, view: keyView }), 200);
  });
  router.openapi(revokeRoute, async (c) => {
    await access.revoke(c.var.caller, c.req.valid('param').id);
    return c.body(null, 204);
  });
  return router;
}
