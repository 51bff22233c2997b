/** Metrics of this process, read when a test asks for them. */
import { metrics } from '@opentelemetry/api';
import { MeterProvider, type MetricData, MetricReader } from '@opentelemetry/sdk-metrics';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** What was measured since the provider was set. Disposing it takes the provider away. */
export interface ReadMetrics extends Disposable {
  collect(): Promise<MetricData[]>;
}

/** Sets a global meter provider of its own. */
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
