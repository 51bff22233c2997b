/** `/v1/audit`: read, verify and export the trail. Records are shown as they are stored, field for field. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { AuditService } from '../domain/audit-service.ts';
import { auditRecordSchema, auditVerdictSchema } from '../shapes/audit.ts';
import { decodeNumberCursor, pageOf, pageQuerySchema } from '../shapes/page.ts';
import type { HubEnv } from './authenticate.ts';
import { createRouter, jsonAnswer, pageSchema, problemAnswers, security } from './route-parts.ts';

const tags = ['audit'];
const eventsRoute = createRoute({
  method: 'get',
  path: '/v1/audit/events',
  summary: 'List audit records, oldest first',
  tags,
  security,
  request: {
    query: pageQuerySchema.extend({
      event: z
        .string()
        .max(64)
        .optional()
        .meta({ description: 'Only this event, such as SKILL_ACTIVATION_SUCCESS or TOOL_OUTCOME.' }),
      agentId: z.string().max(64).optional(),
      traceId: z.string().max(32).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(pageSchema(auditRecordSchema.meta({ id: 'AuditRecord' })), 'Records'),
    ...problemAnswers,
  },
});
const verifyRoute = createRoute({
  method: 'get',
  path: '/v1/audit/verify',
  summary: 'Verify the whole hash chain',
  tags,
  security,
  responses: {
    200: jsonAnswer(
      auditVerdictSchema.meta({ id: 'AuditVerdict' }),
      'The verdict, with the first bad record where there is one',
    ),
    ...problemAnswers,
  },
});
const exportRoute = createRoute({
  method: 'get',
  path: '/v1/audit/export',
  summary: 'Export all records as NDJSON, oldest first',
  tags,
  security,
  responses: {
    200: { description: 'One record a line', content: { 'application/x-ndjson': { schema: z.string() } } },
    ...problemAnswers,
  },
});

/** The routes below `/v1/audit`. */
export function auditRoutes({ audit }: { audit: AuditService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(eventsRoute, async (c) => {
    const { limit, cursor, event, agentId, traceId } = c.req.valid('query');
    const found = await audit.list(c.var.caller, {
      limit,
      after: decodeNumberCursor(cursor) ?? 0,
      event,
      agentId,
      traceId,
    });
    return c.json(pageOf(found, limit, { position: ({ seq }) => seq, view: (record) => record }), 200);
  });
  router.openapi(verifyRoute, async (c) => c.json(await audit.verify(c.var.caller), 200));
  // A stream has no typed answer, so the route is described and handled apart.
  router.openAPIRegistry.registerPath(exportRoute);
  router.get(exportRoute.getRoutingPath(), async (c) => {
    const pages = await audit.export(c.var.caller);
    return c.body(ndjson(pages), 200, { 'content-type': 'application/x-ndjson' });
  });
  return router;
}

/** One record a line; a page is read when the one before it has been taken. */
function ndjson(pages: AsyncIterable<readonly unknown[]>): ReadableStream<Uint8Array> {
  const iterator = pages[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) return controller.close();
      controller.enqueue(encoder.encode(value.map((record) => `${JSON.stringify(record)}\n`).join('')));
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}
