/** The route `/v1/audit/key/rotation`: an operator replaces the key that signs checkpoints. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { AuditKeyService } from '../../domain/audit-service.ts';
import { auditKeyRotationSchema } from '../../shapes/audit-log/key-rotation.ts';
import type { HubEnv } from '../authenticate.ts';
import { createRouter, jsonAnswer, problemAnswers, security } from './route-parts.ts';

const rotationRoute = createRoute({
  method: 'post',
  path: '/v1/audit/key/rotation',
  summary: 'Replace the key that signs checkpoints; both sign for audit.keyOverlapDays',
  tags: ['audit'],
  security,
  responses: {
    201: jsonAnswer(auditKeyRotationSchema.meta({ id: 'AuditKeyRotation' }), 'The new verifier key and the old one'),
    ...problemAnswers,
  },
});

/** The route below `/v1/audit/key`. */
export function auditKeyRoutes({ auditKey }: { auditKey: AuditKeyService }): OpenAPIHono<HubEnv> {
  const router = createRouter();
  router.openapi(rotationRoute, async (c) => c.json(await auditKey.rotate(c.var.caller), 201));
  return router;
}
