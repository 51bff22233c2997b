/** Parts of OpenAPI routes: the router with its validation hook, JSON bodies, and common responses. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import { problemSchema } from '../../shapes/violation.ts';
import type { HubEnv } from '../authenticate.ts';
import { rejectInvalid } from '../problem.ts';

/** Options of a router: how its routes are found. */
export type RouterOptions = Pick<NonNullable<ConstructorParameters<typeof OpenAPIHono<HubEnv>>[0]>, 'router'>;

/** Creates a router that answers invalid requests with problem details. */
export function createRouter(options: RouterOptions = {}): OpenAPIHono<HubEnv> {
  return new OpenAPIHono<HubEnv>({ defaultHook: rejectInvalid, ...options });
}

/** A JSON response in an OpenAPI description. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A required JSON body in an OpenAPI description. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** Problem details for the failure statuses of a route. */
export const problemAnswers = {
  '4XX': { description: 'The request was refused', content: { 'application/problem+json': { schema: problemSchema } } },
  '5XX': { description: 'The request failed', content: { 'application/problem+json': { schema: problemSchema } } },
};

/** Every documented operation needs a key. */
export const security = [{ apiKey: [] }];
