/**
 * The spans of an agent's requests, which are the roots of the traces of a demo.
 * They are exported where the environment names a collector. Without one they only give the traces their ids.
 */
import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { settledWithin } from '../../flow/time-limit.ts';
import { attributes } from '../../telemetry/names.ts';
import type { CommandContext } from '../command-context.ts';

/** A request in progress. */
export interface DemoSpan {
  readonly traceId: string;
  /** The header that makes the spans of the hub its children. Source: W3C Trace Context, version 00. */
  readonly traceparent: string;
  /** Ends it. `code` is the error code of a request that failed. */
  end(code?: string): void;
}

/** Creates the spans of one demo. Disposing exports what is left, for at most two seconds. */
export interface DemoSpans extends AsyncDisposable {
  start(name: string, agent: string): DemoSpan;
}

const exportTimeoutMs = 2000;

/** Creates the spans of a demo in this environment, whose variables are those of the OpenTelemetry SDK. */
export function createDemoSpans(environment: CommandContext['environment']): DemoSpans {
  const url = tracesUrl(environment);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.namespace': 'hestia', 'service.name': 'hestia-demo' }),
    sampler: new AlwaysOnSampler(),
    spanProcessors: url === undefined ? [] : [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
  });
  const tracer = provider.getTracer('hestia-demo');
  return {
    start: (name, agent) => {
      const options = { root: true, kind: SpanKind.CLIENT, attributes: { [attributes.genAiAgentId]: agent } };
      return demoSpan(tracer.startSpan(name, options));
    },
    [Symbol.asyncDispose]: async () => {
      await settledWithin(exportTimeoutMs, provider.shutdown());
    },
  };
}

/** Where traces are exported to; undefined if nowhere. */
function tracesUrl(environment: CommandContext['environment']): string | undefined {
  if (environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || environment.OTEL_TRACES_EXPORTER === 'none') return;
  const all = environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (all && `${all.replace(/\/$/, '')}/v1/traces`);
}

function demoSpan(span: Span): DemoSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    traceparent: `00-${traceId}-${spanId}-01`,
    end: (code) => {
      if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(attributes.errorType, code);
      span.end();
    },
  };
}
