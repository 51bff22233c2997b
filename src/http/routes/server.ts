/** The routes `/v1/servers`: list, connect and disconnect upstream servers. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ServerService } from '../../domain/server-service.ts';
import { serverIdLengthMax, serverListViewSchema, serverView, serverViewSchema } from '../../shapes/server.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const parameters = z.object({ id: z.string().max(serverIdLengthMax) });
const tags = ['servers'];
const listRoute = createRoute({
  method: 'get',
  path: '/v1/servers',
  summary: 'List the upstream servers and their state',
  tags,
  security,
  responses: {
    200: jsonAnswer(serverListViewSchema, 'All configured servers'),
    ...problemAnswers,
  },
});
const connectRoute = createRoute({
  method: 'post',
  path: '/v1/servers/{id}/connect',
  summary: 'Connect a server and return its state after the first attempt',
  tags,
  security,
  request: { params: parameters },
  responses: { 200: jsonAnswer(serverViewSchema, 'Its state'), ...problemAnswers },
});
const disconnectRoute = createRoute({
  method: 'post',
  path: '/v1/servers/{id}/disconnect',
  summary: 'Disconnect a server until it is connected again',
  tags,
  security,
  request: { params: parameters },
  responses: { 200: jsonAnswer(serverViewSchema, 'Its state'), ...problemAnswers },
});

/** The routes below `/v1/servers`. */
export function serverRoutes({ servers }: { servers: ServerService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(listRoute, async (c) => c.json({ items: (await servers.list(c.var.caller)).map(serverView) }, 200));
  router.openapi(connectRoute, async (c) =>
    c.json(serverView(await servers.connect(c.var.caller, c.req.valid('param').id)), 200),
  );
  router.openapi(disconnectRoute, async (c) =>
    c.json(serverView(await servers.disconnect(c.var.caller, c.req.valid('param').id)), 200),
  );
  return router;
}
