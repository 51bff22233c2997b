/** The routes `/v1/servers`: list, add, change, remove, connect and disconnect upstream servers. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ServerService } from '../../domain/server-service.ts';
import {
  serverCreationSchema,
  serverIdLengthMax,
  serverListViewSchema,
  serverPatchSchema,
  serverView,
  serverViewSchema,
} from '../../shapes/server.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

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
const addRoute = createRoute({
  method: 'post',
  path: '/v1/servers',
  summary: 'Add a server to the configuration file and connect it',
  tags,
  security,
  request: { body: jsonBody(serverCreationSchema) },
  responses: { 201: jsonAnswer(serverViewSchema, 'The server, which connects in the background'), ...problemAnswers },
});
const changeRoute = createRoute({
  method: 'patch',
  path: '/v1/servers/{id}',
  summary: 'Change the entry of a server in the configuration file and connect it anew',
  tags,
  security,
  request: { params: parameters, body: jsonBody(serverPatchSchema) },
  responses: { 200: jsonAnswer(serverViewSchema, 'The server, which connects in the background'), ...problemAnswers },
});
const removeRoute = createRoute({
  method: 'delete',
  path: '/v1/servers/{id}',
  summary: 'Remove a server from the configuration file and disconnect it',
  tags,
  security,
  request: { params: parameters },
  responses: { 204: { description: 'Removed' }, ...problemAnswers },
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
  router.openapi(addRoute, async (c) => c.json(serverView(await servers.add(c.var.caller, c.req.valid('json'))), 201));
  router.openapi(changeRoute, async (c) => {
    const { configuration } = c.req.valid('json');
    const serverId = c.req.valid('param').id;
    return c.json(serverView(await servers.change(c.var.caller, { serverId, configuration })), 200);
  });
  router.openapi(removeRoute, async (c) => {
    await servers.remove(c.var.caller, c.req.valid('param').id);
    return c.body(null, 204);
  });
  router.openapi(connectRoute, async (c) =>
    c.json(serverView(await servers.connect(c.var.caller, c.req.valid('param').id)), 200),
  );
  router.openapi(disconnectRoute, async (c) =>
    c.json(serverView(await servers.disconnect(c.var.caller, c.req.valid('param').id)), 200),
  );
  return router;
}
