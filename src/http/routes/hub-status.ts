/** The route `/v1/status`: what the hub does at the moment. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { HubStatus } from '../../domain/hub-status.ts';
import { hubStatusViewSchema } from '../../shapes/hub/status.ts';
import { schedulerView } from '../../shapes/scheduler.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const statusRoute = createRoute({
  method: 'get',
  path: '/v1/status',
  summary: 'Read the status of the hub: servers, tools, running calls, the audit gap and the scheduler',
  tags: ['health'],
  security,
  responses: { 200: jsonAnswer(hubStatusViewSchema, 'Its status'), ...problemAnswers },
});

/** The route. */
export function hubStatusRoutes({ hubStatus }: { hubStatus: Pick<HubStatus, 'read'> }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(statusRoute, async (c) => {
    const { scheduler, ...status } = await hubStatus.read(c.var.caller);
    return c.json({ ...status, scheduler: schedulerView(scheduler) }, 200);
  });
  return router;
}
