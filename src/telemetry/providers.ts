/**
 * The providers that the API hands out. Built from the SDK's own parts; `NodeSDK`, which brings gRPC, Zipkin, Prometheus and
 * instrumentation with it and takes a third of a start to load, is loaded where a variable is set that only it reads.
 */
import { context, logs, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics';
import { type IdGenerator, type Sampler, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** What the providers are made of. A signal that goes nowhere has no processor or reader. */
export interface ProviderParts {
  resource: Resource;
  idGenerator: IdGenerator;
  spanProcessor: SpanProcessor;
  logProcessors: LogRecordProcessor[];
  metricReaders: IMetricReader[];
  /** The hub's own; undefined where the environment names one. */
  sampler: Sampler | undefined;
}

/** The running providers. */
export interface Providers {
  shutdown(): Promise<void>;
}

/** Registers the providers, W3C propagation and the context of asynchronous calls, all globally. Call it once a process. */
export async function registerProviders(parts: ProviderParts, needsSdk: boolean): Promise<Providers> {
  return needsSdk ? registerSdk(parts) : registerParts(parts);
}

async function registerSdk(parts: ProviderParts): Promise<Providers> {
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    resource: parts.resource,
    autoDetectResources: false,
    instrumentations: [],
    idGenerator: parts.idGenerator,
    spanProcessors: [parts.spanProcessor],
    logRecordProcessors: parts.logProcessors,
    metricReaders: parts.metricReaders,
    ...(parts.sampler && { sampler: parts.sampler }),
  });
  sdk.start();
  return sdk;
}

/** The same, as `NodeSDK` does it where no such variable is set. */
function registerParts(parts: ProviderParts): Providers {
  const { resource } = parts;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  const providers: Providers[] = [];
  if (parts.metricReaders.length > 0) {
    const meters = new MeterProvider({ resource, readers: parts.metricReaders });
    metrics.setGlobalMeterProvider(meters);
    providers.push(meters);
  }
  const tracers = new TracerProvider({
    resource,
    idGenerator: parts.idGenerator,
    spanProcessors: [parts.spanProcessor],
    ...(parts.sampler && { sampler: parts.sampler }),
  });
  trace.setGlobalTracerProvider(tracers);
  const loggers = new LoggerProvider({ resource, processors: parts.logProcessors });
  logs.setGlobalLoggerProvider(loggers);
  providers.push(tracers, loggers);
  return {
    shutdown: async () => {
      await Promise.all(providers.map((provider) => provider.shutdown()));
    },
  };
}
