/** The routes `/v1/scheduler`: read the status of the scheduler, and run a cleanup. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Cleanup } from '../../domain/cleanup.ts';
import { cleanupReportSchema, schedulerView, schedulerViewSchema } from '../../shapes/scheduler.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const tags = ['scheduler'];
const statusRoute = createRoute({
  method: 'get',
  path: '/v1/scheduler',
  summary: 'Read the status of the scheduler',
  tags,
  security,
  responses: { 200: jsonAnswer(schedulerViewSchema, 'Its status'), ...problemAnswers },
});
const runRoute = createRoute({
  method: 'post',
  path: '/v1/scheduler/run',
  summary: 'Run a cleanup now and return what it deleted',
  tags,
  security,
  responses: { 200: jsonAnswer(cleanupReportSchema, 'What was deleted'), ...problemAnswers },
});

/** The routes below `/v1/scheduler`. */
export function schedulerRoutes({ cleanup }: { cleanup: Cleanup }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(statusRoute, async (c) => c.json(schedulerView(await cleanup.status(c.var.caller)), 200));
  router.openapi(runRoute, async (c) => c.json(await cleanup.runNow(c.var.caller), 200));
  return router;
}
