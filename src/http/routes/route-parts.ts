/** What the documented routes share: the router with its error hook, JSON bodies and the answers every route can give. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import { problemSchema } from '../../shapes/error.ts';
import type { HubEnv } from '../authenticate.ts';
import { rejectInvalid } from '../problem.ts';

/** A router whose validation failures become problem details. */
export function createRouter(): OpenAPIHono<HubEnv> {
  return new OpenAPIHono<HubEnv>({ defaultHook: rejectInvalid });
}

/** A JSON answer in an OpenAPI description. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A required JSON body. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** Problem details, for the statuses a route can fail with. */
export const problemAnswers = {
  '4XX': { description: 'The request was refused', content: { 'application/problem+json': { schema: problemSchema } } },
  '5XX': { description: 'The request failed', content: { 'application/problem+json': { schema: problemSchema } } },
};

/** Every documented operation needs a key. */
export const security = [{ apiKey: [] }];
