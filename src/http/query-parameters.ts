/**
 * The middleware that refuses query parameters which a documented route does not have. A parameter that is misspelled would
 * otherwise be ignored, and the answer would be to another question.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { HestiaError } from '../shapes/error.ts';
import { printable, truncated } from '../shapes/text.ts';
import type { HubEnv } from './authenticate.ts';

const parameterLengthMax = 64;

/** The middleware of an application, whose routes may be added later. @throws HestiaError INVALID_REQUEST */
export function refuseUnknownParameters(app: OpenAPIHono<HubEnv>): MiddlewareHandler<HubEnv> {
  let documented: Map<string, readonly string[]> | undefined;
  return (c, next) => {
    const { raw } = c.req;
    if (!raw.url.includes('?')) return next();
    documented ??= documentedParameters(app);
    const route = matchedRoutes(c).findLast(({ method }) => method === c.req.method);
    const names = route && documented.get(`${route.method} ${withoutPatterns(route.path)}`);
    const unknown = names && Object.keys(c.req.query()).find((name) => !names.includes(name));
    if (names !== undefined && unknown !== undefined) {
      const allowed = names.length === 0 ? 'this route has none' : `allowed are ${names.join(', ')}`;
      const message = `${printable(truncated(unknown, parameterLengthMax))}: there is no such query parameter; ${allowed}`;
      throw new HestiaError('INVALID_REQUEST', message);
    }
    return next();
  };
}

/** A path as it is registered, without the regular expressions of its parameters. */
function withoutPatterns(path: string): string {
  return path.replaceAll(/(:\w+)\{[^/]*\}/g, '$1');
}

/** The names of the query parameters of each route, by its method and the path that it is registered under. */
function documentedParameters(app: OpenAPIHono<HubEnv>): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path, request } = definition.route;
    const query = request?.query;
    const names = query && 'shape' in query ? Object.keys(query.shape) : [];
    found.set(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, names);
  }
  return found;
}
