/**
 * Trace context in MCP's `params._meta` (SEP-414): read from callers, written for upstreams. What a caller sends is
 * untrusted: sizes are limited, and baggage is passed on to upstreams but never copied to an attribute.
 */
import { type Context, context, propagation, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { z } from 'zod';

/** A `traceparent` has 55 characters in version 00; a later version may add some. */
const traceparentLengthMax = 128;
/** W3C Trace Context asks for at least 512 characters of `tracestate` to be passed on. */
const tracestateLengthMax = 512;

/** W3C Baggage asks for 8,192 bytes in all. */
const baggageLengthMax = 8192;

const carrierSchema = z.object({
  traceparent: z.string().max(traceparentLengthMax),
  tracestate: z.string().max(tracestateLengthMax).optional().catch(undefined),
  baggage: z.string().max(baggageLengthMax).optional().catch(undefined),
});

const propagator = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});

/** The context that untrusted `traceparent`, `tracestate` and `baggage` values name, or undefined where they name no trace. */
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

/** The span context of the active span, to be linked from a span whose parent came in `_meta`. */
export function ambientSpanContext(): SpanContext | undefined {
  return trace.getActiveSpan()?.spanContext();
}
