/** `/v1/quarantine`: what was kept out of use or marked, and letting it in. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { QuarantineService } from '../../domain/quarantine-service.ts';
import { decodeNumberCursor, pageOf, pageQuerySchema } from '../../shapes/page.ts';
import {
  fieldChangeSchema,
  type QuarantineEntry,
  quarantineIdSchema,
  quarantineKindSchema,
  quarantineStateSchema,
} from '../../shapes/quarantine.ts';
import { scanFindingSchema } from '../../shapes/scan.ts';
import { isoTime } from '../../shapes/time.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, pageSchema, problemAnswers, security, timeSchema } from './route-parts.ts';

const entrySchema = z
  .object({
    quarantineId: z.string(),
    kind: quarantineKindSchema,
    state: quarantineStateSchema,
    namespace: z.string().optional().meta({ description: 'Of a skill.' }),
    serverId: z.string().optional().meta({ description: 'Of a tool.' }),
    name: z.string(),
    digest: z.string().meta({ description: 'SHA-256 of the content; an approval is for this content alone.' }),
    findings: z
      .array(scanFindingSchema)
      .meta({ description: 'Rules met; evidence is escaped and cut, and is untrusted.' }),
    changes: z.array(fieldChangeSchema).meta({ description: 'What differs from the pinned definition.' }),
    createdAt: timeSchema,
    decidedAt: timeSchema.optional(),
    decidedBy: z.string().optional(),
  })
  .meta({ id: 'QuarantineEntry' });

const tags = ['quarantine'];
const listRoute = createRoute({
  method: 'get',
  path: '/v1/quarantine',
  summary: 'List suspected skills and suspected or changed tools, newest first',
  tags,
  security,
  request: {
    query: pageQuerySchema.extend({ kind: quarantineKindSchema.optional(), state: quarantineStateSchema.optional() }),
  },
  responses: { 200: jsonAnswer(pageSchema(entrySchema), 'Entries'), ...problemAnswers },
});
const approveRoute = createRoute({
  method: 'post',
  path: '/v1/quarantine/{id}/approve',
  summary: 'Let this content in, by its digest; may be repeated',
  tags,
  security,
  request: { params: z.object({ id: quarantineIdSchema }) },
  responses: { 200: jsonAnswer(entrySchema, 'The entry'), ...problemAnswers },
});

/** The routes below `/v1/quarantine`. */
export function quarantineRoutes({ quarantine }: { quarantine: QuarantineService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(listRoute, async (c) => {
    const { limit, cursor, kind, state } = c.req.valid('query');
    const found = await quarantine.list(c.var.caller, { limit, kind, state, before: decodeNumberCursor(cursor) });
    return c.json(pageOf(found, limit, { position: ({ seq }) => seq, view: entryView }), 200);
  });
  router.openapi(approveRoute, async (c) =>
    c.json(entryView(await quarantine.approve(c.var.caller, c.req.valid('param').id)), 200),
  );
  return router;
}

function entryView({
  quarantineId,
  kind,
  state,
  scope,
  name,
  digest,
  findings,
  changes,
  createdAt,
  decidedAt,
  decidedBy,
}: QuarantineEntry) {
  return {
    quarantineId,
    kind,
    state,
    ...(kind === 'skill' ? { namespace: scope } : { serverId: scope }),
    name,
    digest,
    findings,
    changes,
    createdAt: isoTime(createdAt),
    ...(decidedAt !== undefined && { decidedAt: isoTime(decidedAt) }),
    ...(decidedBy !== undefined && { decidedBy }),
  };
}
