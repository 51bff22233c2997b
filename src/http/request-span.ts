/**
 * The HTTP middleware that gives each request a SERVER span and a duration. Both follow the stable HTTP semantic
 * conventions: they name the route and never the query, and end with the body, so a stream lasts as long as it was
 * open. Probes are left out.
 */

import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { printable, truncated } from '../shapes/text.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { remoteContext } from '../telemetry/propagation.ts';
import { failSpan, openSpan } from '../telemetry/span.ts';
import { clientAddress } from './client-address.ts';
import { isComplete } from './complete-response.ts';

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
/** Health probes: requested every few seconds, and of no interest in a trace. */
export const probes: ReadonlySet<string> = new Set(['/livez', '/readyz']);
const streamTypes = /^(text\/event-stream|application\/x-ndjson)/;

/** The middleware; it reports `http.server.request.duration`. */
export function traceRequests({ metrics }: { metrics: Metrics }): MiddlewareHandler {
  return async (c, next) => {
    if (probes.has(c.req.path)) return next();
    const startedAt = performance.now();
    const method = knownMethod(c.req.method);
    const parent = parentOf(c);
    const span = openSpan(method, { kind: SpanKind.SERVER, ...(parent && { parent }) });
    setRequestAttributes(c, span, method);
    const finish = () => {
      const route = routeOf(c);
      if (route !== undefined) {
        span.updateName(`${method} ${route}`);
        span.setAttribute(attributes.httpRoute, route);
      }
      span.setAttribute(attributes.httpResponseStatusCode, c.res.status);
      if (c.res.status >= 500) failSpan(span, String(c.res.status));
      span.end();
      metrics.httpServerRequest((performance.now() - startedAt) / 1000, {
        [attributes.httpRequestMethod]: method,
        [attributes.urlScheme]: 'http',
        [attributes.httpResponseStatusCode]: c.res.status,
        ...(route !== undefined && { [attributes.httpRoute]: route }),
      });
    };
    await context.with(trace.setSpan(parent ?? context.active(), span), next);
    const body = isStream(c) ? c.res.body : null;
    if (body === null) finish();
    else c.res = new Response(endsWith(body, finish), c.res);
  };
}

/** A method as a metric label: a known one, or `_OTHER`. */
export function knownMethod(method: string): string {
  return knownMethods.has(method) ? method : '_OTHER';
}

function isStream(c: Context): boolean {
  if (isComplete(c.res) || c.req.method === 'HEAD') return false;
  return streamTypes.test(c.res.headers.get('content-type') ?? '');
}

function parentOf({ req }: Context) {
  const traceparent = req.header('traceparent');
  if (traceparent === undefined) return undefined;
  return remoteContext({ traceparent, tracestate: req.header('tracestate'), baggage: req.header('baggage') });
}

function setRequestAttributes(c: Context, span: Span, method: string): void {
  const { hostname, port, pathname } = urlParts(c.req.url);
  span.setAttribute(attributes.httpRequestMethod, method);
  span.setAttribute(attributes.urlPath, truncated(pathname, 256));
  span.setAttribute(attributes.urlScheme, 'http');
  span.setAttribute(attributes.serverAddress, hostname);
  if (port !== '') span.setAttribute(attributes.serverPort, Number(port));
  const userAgent = c.req.header('user-agent');
  if (userAgent !== undefined) span.setAttribute(attributes.userAgent, printable(truncated(userAgent, 256)));
  const address = clientAddress(c);
  if (address !== undefined) span.setAttribute(attributes.clientAddress, address);
}

/** The parts of the URL of a request, which the server has parsed and normalised: it is only cut here, as `URL` would. */
export function urlParts(url: string): { hostname: string; port: string; pathname: string } {
  const host = url.indexOf('//') + 2;
  const path = url.indexOf('/', host);
  const [pathname = ''] = url.slice(path).split(/[?#]/, 1);
  const authority = url.slice(host, path);
  const colon = authority.lastIndexOf(':');
  // The address of IPv6 has colons within brackets.
  if (colon <= authority.lastIndexOf(']')) return { hostname: authority, port: '', pathname };
  return { hostname: authority.slice(0, colon), port: authority.slice(colon + 1), pathname };
}

/** The path pattern of the matched handler; undefined where only middleware matched. */
function routeOf(c: Context): string | undefined {
  return matchedRoutes(c)
    .map((route) => route.path)
    .findLast((path) => !path.endsWith('*'));
}

/** The same body; `finish` is called once when it was read to its end, failed or was cancelled. */
function endsWith(body: ReadableStream<Uint8Array>, finish: () => void): ReadableStream<Uint8Array> {
  let finished = false;
  const once = () => {
    if (!finished) finish();
    finished = true;
  };
  const reader = body.getReader();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        once();
        controller.close();
      } catch (error) {
        once();
        controller.error(error);
      }
    },
    cancel: async (reason) => {
      once();
      await reader.cancel(reason);
    },
  });
}
