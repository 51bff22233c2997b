/** `/v1/scheduler`: the status of the scheduler, and a cleanup now. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Cleanup } from '../../domain/cleanup.ts';
import { cleanupKindSchema, type SchedulerStatus } from '../../shapes/scheduler.ts';
import { isoTime } from '../../shapes/time.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security, timeSchema } from './route-parts.ts';

const statusSchema = z
  .object({
    isRunning: z.boolean(),
    intervalHours: z.number(),
    lastRunTime: timeSchema.optional(),
    lastSuccessTime: timeSchema.optional(),
    nextRunTime: timeSchema.optional(),
    totalCleanups: z.int(),
    totalDeleted: z.int(),
  })
  .meta({ id: 'SchedulerStatus' });
const reportSchema = z
  .object({
    deletedCount: z.int(),
    deleted: z.record(cleanupKindSchema, z.int()),
    failedParts: z.array(z.string()),
    durationMs: z.number(),
  })
  .meta({ id: 'CleanupReport' });

const tags = ['scheduler'];
const statusRoute = createRoute({
  method: 'get',
  path: '/v1/scheduler',
  summary: 'Read the status of the scheduler',
  tags,
  security,
  responses: { 200: jsonAnswer(statusSchema, 'Its status'), ...problemAnswers },
});
const runRoute = createRoute({
  method: 'post',
  path: '/v1/scheduler/run',
  summary: 'Run a cleanup now; answers what it deleted',
  tags,
  security,
  responses: { 200: jsonAnswer(reportSchema, 'What was deleted'), ...problemAnswers },
});

/** The routes below `/v1/scheduler`. */
export function schedulerRoutes({ cleanup }: { cleanup: Cleanup }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(statusRoute, async (c) => c.json(statusView(await cleanup.status(c.var.caller)), 200));
  router.openapi(runRoute, async (c) => c.json(await cleanup.runNow(c.var.caller), 200));
  return router;
}

function statusView({ lastRunTime, lastSuccessTime, nextRunTime, ...rest }: SchedulerStatus) {
  return {
    ...rest,
    ...(lastRunTime !== undefined && { lastRunTime: isoTime(lastRunTime) }),
    ...(lastSuccessTime !== undefined && { lastSuccessTime: isoTime(lastSuccessTime) }),
    ...(nextRunTime !== undefined && { nextRunTime: isoTime(nextRunTime) }),
  };
}
