/** Starts a hub process with a receiver of its telemetry. Short export intervals, so that tests do not wait for timers. */

import type { ReceivedSpan } from '../telemetry/otlp-decode.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../telemetry/otlp-receiver.ts';
import { type HubProcess, type HubProcessOptions, startHubProcess, untilServersConnected } from './hub-process.ts';

/** A hub and the receiver of its telemetry. Disposing it stops both. */
export interface ObservedHub extends AsyncDisposable {
  readonly hub: HubProcess;
  readonly receiver: OtlpReceiver;
  /** The sum over the series of a metric with these labels; 0 if there are none. */
  total(name: string, labels?: Record<string, unknown>): number;
  /** Waits for a span of this name, in this trace if one is given. */
  span(name: string, traceId?: string): Promise<ReceivedSpan>;
}

/** Exporter settings of hubs under test, with short intervals. */
export const quickExports = {
  OTEL_SDK_DISABLED: 'false',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_BLRP_SCHEDULE_DELAY: '50',
  OTEL_METRIC_EXPORT_INTERVAL: '200',
};

/** Starts both, and waits until the hub is ready and its servers are connected. */
export async function startObservedHub(
  mcpServers: Record<string, unknown>,
  { file, environment, entry }: Pick<HubProcessOptions, 'file' | 'environment' | 'entry'> = {},
): Promise<ObservedHub> {
  await using parts = new AsyncDisposableStack();
  const receiver = await startOtlpReceiver();
  parts.defer(() => receiver.close());
  const hub = parts.use(
    await startHubProcess({
      file: { ...file, mcpServers },
      ...(entry !== undefined && { entry }),
      environment: { ...quickExports, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...environment },
    }),
  );
  await hub.ready();
  await untilServersConnected(hub, ...Object.keys(mcpServers));
  const kept = parts.move();
  return {
    hub,
    receiver,
    total: (name, labels) => receiver.metricTotal(name, labels) ?? 0,
    span: (name, traceId) =>
      receiver.waitFor(() =>
        receiver.spans().find((span) => span.name === name && (traceId === undefined || span.traceId === traceId)),
      ),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
