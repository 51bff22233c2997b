/** The routes `/v1/audit`: list, verify, prove and export audit records. Records are returned as they are stored. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { AuditService } from '../../domain/audit-service.ts';
import { auditOrderSchema, auditRecordSchema, targetOfTool } from '../../shapes/audit.ts';
import {
  auditCheckpointSchema,
  auditConsistencyProofSchema,
  auditInclusionProofSchema,
  auditKeySchema,
} from '../../shapes/audit-log/proof.ts';
import { auditVerdictSchema } from '../../shapes/audit-log/verdict.ts';
import { HestiaError } from '../../shapes/error.ts';
import { eventNameSchema, outcomeSchema } from '../../shapes/event.ts';
import { decodeNumberCursor, pageOf, pageQuerySchema, pageSchema } from '../../shapes/page.ts';
import { isPeriod, periodRefusal, timeQuerySchema } from '../../shapes/time.ts';
import type { HubEnv } from '../authenticate.ts';
import { invalidRequest } from '../problem.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const tags = ['audit'];
const numberSchema = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const checkpointSchema = auditCheckpointSchema.meta({ id: 'AuditCheckpoint' });

const get = <Path extends string, Request extends object, Answer extends z.ZodType>(
  path: Path,
  { summary, request, answer, description }: { summary: string; request: Request; answer: Answer; description: string },
) =>
  createRoute({
    method: 'get',
    path,
    summary,
    tags,
    security,
    request,
    responses: { 200: jsonAnswer(answer, description), ...problemAnswers },
  });

const eventsQuerySchema = pageQuerySchema.extend({
  order: auditOrderSchema.default('oldest').meta({ description: 'Which records come first.' }),
  event: eventNameSchema.optional().meta({ description: 'Only this event.' }),
  outcome: outcomeSchema.optional().meta({ description: 'Only tool calls with this outcome.' }),
  agentId: z.string().min(1).max(64).optional(),
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits, in lower case')
    .optional(),
  target: z.string().max(1024).optional().meta({
    description:
      'What the record is about, as in its `target`: `tool:github/get_issue`, `skill:invoices`, `server:github`.',
  }),
  server: z.string().max(256).optional().meta({ description: 'Only this server and its tools.' }),
  tool: z
    .string()
    .max(1024)
    .refine((text) => targetOfTool(text) !== undefined, 'must be a server and a tool, such as "github/get_issue"')
    .refine(
      (text) => !text.includes('*'),
      'must be the complete name of a tool, without "*"; "server" has all its tools',
    )
    .optional()
    .meta({ description: 'Only this tool, as `server/tool`.' }),
  skill: z.string().max(256).optional().meta({ description: 'Only this skill.' }),
  since: timeQuerySchema
    .optional()
    .meta({ description: 'From this time: ISO 8601, or how long ago (`15m`, `2h`, `7d`).' }),
  until: timeQuerySchema.optional().meta({ description: 'Before this time.' }),
});
const eventsRoute = get('/v1/audit/events', {
  summary: 'List audit records by target, agent, event, outcome, trace and time',
  request: { query: eventsQuerySchema.refine(isPeriod, periodRefusal) },
  answer: pageSchema(auditRecordSchema.meta({ id: 'AuditRecord' })),
  description: 'Records, read from a view of the journal. An export and its proofs are what can be verified.',
});
const proofRoute = get('/v1/audit/events/{seq}/proof', {
  summary: 'Prove that a signed checkpoint includes a record',
  request: {
    params: z.object({ seq: numberSchema }),
    query: z.object({
      checkpoint: numberSchema.optional().meta({ description: 'The size of the checkpoint. If absent: the newest.' }),
    }),
  },
  answer: auditInclusionProofSchema.meta({ id: 'AuditInclusionProof' }),
  description: 'The line of the record, and the proof with its checkpoint (C2SP tlog-proof)',
});
const checkpointsRoute = get('/v1/audit/checkpoints', {
  summary: 'List signed checkpoints, oldest first',
  request: { query: pageQuerySchema },
  answer: pageSchema(checkpointSchema),
  description: 'Checkpoints',
});
const consistencyRoute = get('/v1/audit/consistency', {
  summary: 'Prove that a checkpoint only adds to the first records',
  request: {
    query: z.object({
      from: numberSchema,
      to: numberSchema.optional().meta({ description: 'The size of the later checkpoint. If absent: the newest.' }),
    }),
  },
  answer: auditConsistencyProofSchema.meta({ id: 'AuditConsistencyProof' }),
  description: 'The later checkpoint, and the path from the first records to it (RFC 6962, 2.1.2)',
});
const keyRoute = get('/v1/audit/key', {
  summary: 'Read the public keys that checkpoints are signed with',
  request: {},
  answer: auditKeySchema.meta({ id: 'AuditKey' }),
  description: 'The verifier keys, and the current key as PEM with its SHA-256',
});
const verifyRoute = get('/v1/audit/verify', {
  summary: 'Verify all records and checkpoints',
  request: {},
  answer: auditVerdictSchema.meta({ id: 'AuditVerdict' }),
  description: 'The verdict, with the first record or checkpoint that fails',
});
const exportQuerySchema = z.object({
  format: z
    .enum(['ndjson', 'ocsf'], { error: 'must be "ndjson" or "ocsf"' })
    .default('ndjson')
    .meta({ description: 'ndjson: records, checkpoints and key, for verification. ocsf: OCSF 1.2.0 events.' }),
});
const exportRoute = createRoute({
  method: 'get',
  path: '/v1/audit/export',
  summary: 'Export the trail as NDJSON, oldest first',
  tags,
  security,
  request: { query: exportQuerySchema },
  responses: {
    200: { description: 'One object a line', content: { 'application/x-ndjson': { schema: z.string() } } },
    ...problemAnswers,
  },
});

/** The routes below `/v1/audit`. */
export function auditRoutes({ audit }: { audit: AuditService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(eventsRoute, async (c) => {
    const { limit, cursor, server: serverId, tool, skill, target, ...filters } = c.req.valid('query');
    const after = decodeNumberCursor(cursor);
    const query = { ...filters, limit, after, serverId, target: oneTarget({ target, tool, skill }) };
    const found = await audit.list(c.var.caller, query);
    return c.json(pageOf(found, limit, { position: ({ seq }) => seq, view: (record) => record }), 200);
  });
  router.openapi(checkpointsRoute, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const found = await audit.checkpoints(c.var.caller, { limit, after: decodeNumberCursor(cursor) ?? 0 });
    return c.json(pageOf(found, limit, { position: ({ size }) => size, view: (checkpoint) => checkpoint }), 200);
  });
  router.openapi(proofRoute, async (c) => {
    const { seq } = c.req.valid('param');
    const { checkpoint } = c.req.valid('query');
    return c.json(await audit.inclusion(c.var.caller, { seq, checkpoint }), 200);
  });
  router.openapi(consistencyRoute, async (c) =>
    c.json(await audit.consistency(c.var.caller, c.req.valid('query')), 200),
  );
  router.openapi(keyRoute, async (c) => c.json(await audit.key(c.var.caller), 200));
  router.openapi(verifyRoute, async (c) => c.json(await audit.verify(c.var.caller), 200));
  // A streamed response has no typed body, so the route is registered and handled separately.
  router.openAPIRegistry.registerPath(exportRoute);
  router.get(exportRoute.getRoutingPath(), async (c) => {
    const parsed = exportQuerySchema.safeParse(c.req.query());
    if (!parsed.success) throw invalidRequest(parsed.error);
    const pages = await audit.export(c.var.caller, parsed.data.format);
    return c.body(ndjson(pages), 200, { 'content-type': 'application/x-ndjson' });
  });
  return router;
}

type TargetQuery = Partial<Pick<z.infer<typeof eventsQuerySchema>, 'target' | 'tool' | 'skill'>>;

/** The target that a query asks for. @throws HestiaError INVALID_REQUEST where it asks for more than one */
function oneTarget({ target, tool, skill }: TargetQuery): string | undefined {
  const given = Object.entries({ target, tool, skill }).filter(([, value]) => value !== undefined);
  if (given.length > 1)
    throw new HestiaError('INVALID_REQUEST', `${given.map(([name]) => name).join(', ')}: only one of them is allowed`);
  if (skill !== undefined) return `skill:${skill}`;
  return tool === undefined ? target : targetOfTool(tool);
}

/** A stream of NDJSON lines. It reads a page only when the previous one was consumed. */
function ndjson(pages: AsyncIterable<readonly string[]>): ReadableStream<Uint8Array> {
  const iterator = pages[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) return controller.close();
      controller.enqueue(encoder.encode(value.map((line) => `${line}\n`).join('')));
    },
    cancel: async () => {
      await iterator.return?.();
    },
  });
}
