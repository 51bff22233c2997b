/** Reads the metrics of this process on demand. */
import { metrics } from '@opentelemetry/api';
import { MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The metrics measured since the provider was set. Disposing removes the provider. */
export interface ReadMetrics extends Disposable {
  collect(): Promise<MetricData[]>;
}

/** Sets a new global meter provider. */
export function readMetrics(): ReadMetrics {
  const reader = new ManualReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return {
    collect: async () => {
      const { resourceMetrics } = await reader.collect();
      return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    },
    [Symbol.dispose]: () => metrics.disable(),
  };
}
