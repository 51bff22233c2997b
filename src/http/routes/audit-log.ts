/**
 * The routes `/v1/audit/log`: the audit trail as a tiled transparency log (C2SP tlog-tiles).
 * All but the checkpoint never changes, and may be cached for ever by the client that has the key.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import type { AuditLogService } from '../../domain/audit-service.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, problemAnswers, security } from './route-parts.ts';

const tags = ['audit'];
const indexSchema = z.string().max(64).meta({
  description:
    'The index of the tile in path elements of three digits, and the width of a partial tile: `000`, `x001/x234/067`, `000.p/12`.',
});
const bytes = { 'application/octet-stream': { schema: z.string().meta({ format: 'binary' }) } };

const checkpointRoute = createRoute({
  method: 'get',
  path: '/v1/audit/log/checkpoint',
  summary: 'Read the newest signed checkpoint (C2SP tlog-checkpoint)',
  tags,
  security,
  request: {
    query: z.object({
      cosigned: z
        .enum(['true', 'false'], { error: 'must be "true" or "false"' })
        .default('false')
        .meta({ description: 'The newest checkpoint that a witness cosigned.' }),
    }),
  },
  responses: {
    200: { description: 'A signed note', content: { 'text/plain': { schema: z.string() } } },
    ...problemAnswers,
  },
});
const tileRoute = createRoute({
  method: 'get',
  path: '/v1/audit/log/tile/{level}/{index}',
  summary: 'Read hashes of the Merkle tree (C2SP tlog-tiles)',
  tags,
  security,
  request: {
    params: z.object({
      level: z.string().max(2).meta({ description: 'The level of the tile, 0 to 63.' }),
      index: indexSchema,
    }),
  },
  responses: { 200: { description: 'Up to 256 hashes of 32 bytes', content: bytes }, ...problemAnswers },
});
const entriesRoute = createRoute({
  method: 'get',
  path: '/v1/audit/log/tile/entries/{index}',
  summary: 'Read records as an entry bundle (C2SP tlog-tiles)',
  tags,
  security,
  request: { params: z.object({ index: indexSchema }) },
  responses: {
    200: { description: 'Up to 256 records, each after its length in 2 bytes', content: bytes },
    ...problemAnswers,
  },
});

/** Headers of what never changes. Shared caches must not store it, since it needs a key. */
const immutableHeaders = {
  'content-type': 'application/octet-stream',
  'cache-control': 'private, max-age=31536000, immutable',
};

/** The routes below `/v1/audit/log`. */
export function auditLogRoutes({ auditLog }: { auditLog: AuditLogService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(checkpointRoute, async (c) => {
    const isCosigned = c.req.valid('query').cosigned === 'true';
    const note = await auditLog.checkpoint(c.var.caller, { isCosigned });
    return c.text(note, 200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' });
  });
  // The index of a tile has slashes, which no parameter of a described path can have: described and handled separately.
  router.openAPIRegistry.registerPath(tileRoute);
  router.openAPIRegistry.registerPath(entriesRoute);
  router.get('/v1/audit/log/tile/entries/:index{.+}', async (c) => {
    const entries = await auditLog.entries(c.var.caller, { index: c.req.param('index') });
    return entriesResponse(c, entries);
  });
  router.get('/v1/audit/log/tile/:level/:index{.+}', async (c) => {
    const { level, index } = c.req.param();
    return c.body(bodyOf(await auditLog.tile(c.var.caller, { level, index })), 200, immutableHeaders);
  });
  return router;
}

const compressed = promisify(gzip);

/** Records are text that compresses well; the specification recommends gzip. */
async function entriesResponse(c: Context<HubEnv>, entries: Buffer): Promise<Response> {
  const headers = { ...immutableHeaders, vary: 'accept-encoding' };
  if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')) return c.body(bodyOf(entries), 200, headers);
  return c.body(bodyOf(await compressed(entries)), 200, { ...headers, 'content-encoding': 'gzip' });
}

function bodyOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
