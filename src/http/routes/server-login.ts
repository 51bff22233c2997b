/** The routes of logins to upstream servers: begin one, read its state, log out. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { ServerService } from '../../domain/server-service.ts';
import { loginRequestSchema, loginViewSchema, logoutRequestSchema } from '../../shapes/oauth/login.ts';
import { serverIdLengthMax } from '../../shapes/server.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, jsonBody, problemAnswers, security } from './route-parts.ts';

const parameters = z.object({ id: z.string().max(serverIdLengthMax) });
const tags = ['servers'];
const loginRoute = createRoute({
  method: 'post',
  path: '/v1/servers/{id}/login',
  summary: 'Begin a login to a server that requires OAuth',
  tags,
  security,
  request: { params: parameters, body: jsonBody(loginRequestSchema) },
  responses: { 201: jsonAnswer(loginViewSchema, 'The login, and where a person continues it'), ...problemAnswers },
});
const findRoute = createRoute({
  method: 'get',
  path: '/v1/servers/{id}/login/{loginId}',
  summary: 'Read the state of a login',
  tags,
  security,
  request: { params: parameters.extend({ loginId: z.string().max(64) }) },
  responses: { 200: jsonAnswer(loginViewSchema, 'The login'), ...problemAnswers },
});
const logoutRoute = createRoute({
  method: 'post',
  path: '/v1/servers/{id}/logout',
  summary: 'Delete a login and revoke its tokens',
  tags,
  security,
  request: { params: parameters, body: jsonBody(logoutRequestSchema) },
  responses: { 204: { description: 'Logged out' }, ...problemAnswers },
});

/** The routes of logins below `/v1/servers`. */
export function serverLoginRoutes({ servers }: { servers: ServerService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(loginRoute, async (c) =>
    c.json(await servers.beginLogin(c.var.caller, c.req.valid('param').id, c.req.valid('json')), 201),
  );
  router.openapi(findRoute, async (c) => {
    const { id, loginId } = c.req.valid('param');
    return c.json(await servers.findLogin(c.var.caller, id, loginId), 200);
  });
  router.openapi(logoutRoute, async (c) => {
    await servers.logout(c.var.caller, c.req.valid('param').id, c.req.valid('json'));
    return c.body(null, 204);
  });
  return router;
}
