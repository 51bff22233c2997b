/**
 * Trace context in MCP's `params._meta` (SEP-414): extracted from callers, injected for upstreams.
 * Values of callers are untrusted: their sizes are limited, and baggage is forwarded but never copied to an attribute.
 */
import { type Context, context, propagation, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { z } from 'zod';

/** A `traceparent` has 55 characters in version 00; later versions may be longer. */
const traceparentLengthMax = 128;
/** W3C Trace Context requires that at least 512 characters of `tracestate` are propagated. */
const tracestateLengthMax = 512;

/** W3C Baggage requires 8,192 bytes in total. */
const baggageLengthMax = 8192;

const carrierSchema = z.object({
  traceparent: z.string().max(traceparentLengthMax),
  tracestate: z.string().max(tracestateLengthMax).optional().catch(undefined),
  baggage: z.string().max(baggageLengthMax).optional().catch(undefined),
});

const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** The context of untrusted `traceparent`, `tracestate` and `baggage` values; undefined if they contain no valid trace. */
export function remoteContext(carrier: unknown): Context | undefined {
  if (typeof carrier !== 'object' || carrier === null || !('traceparent' in carrier)) return undefined;
  const parsed = carrierSchema.safeParse(carrier);
  if (!parsed.success) return undefined;
  const values = new Map(Object.entries(parsed.data));
  const remote = propagator.extract(ROOT_CONTEXT, values, {
    get: (from: Map<string, string | undefined>, key) => from.get(key),
    keys: (from) => [...from.keys()],
  });
  return trace.getSpanContext(remote) === undefined ? undefined : remote;
}

/** `traceparent` and `tracestate` of the active span, for `params._meta` of a request to an upstream. */
export function outgoingMeta(): Record<string, string> {
  const meta: Record<string, string> = {};
  propagation.inject(context.active(), meta);
  return meta;
}

/** The context of the active span, for a link from a span whose parent is given in `_meta`. */
export function ambientSpanContext(): SpanContext | undefined {
  return trace.getActiveSpan()?.spanContext();
}
