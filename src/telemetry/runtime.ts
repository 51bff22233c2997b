/**
 * Runtime metrics of the process: event loop delay and utilisation, memory, processor time, uptime.
 * Their names follow the semantic conventions for Node.js and processes. They are read at each collection.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type Meter, metrics } from '@opentelemetry/api';
import { metricNames, scopeName } from './names.ts';

/** The sampling interval of the event loop's delay, in milliseconds. Samples include up to this much. */
const resolutionMs = 10;

/** Registers the instruments on the global meter provider. Disposing stops the sampling. */
export function observeRuntime(): Disposable {
  const meter = metrics.getMeter(scopeName);
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  observeEventLoop(meter, delays);
  observeProcess(meter);
  return { [Symbol.dispose]: () => delays.disable() };
}

function observeEventLoop(meter: Meter, delays: ReturnType<typeof monitorEventLoopDelay>): void {
  meter
    .createObservableGauge(metricNames.eventLoopDelayP99, {
      unit: 's',
      description: 'How late the event loop was since the last collection, 99th percentile',
    })
    .addCallback((result) => {
      result.observe(delaySeconds(delays.percentile(99)));
      delays.reset();
    });
  let last = performance.eventLoopUtilization();
  meter
    .createObservableGauge(metricNames.eventLoopUtilization, {
      unit: '1',
      description: 'Share of time the event loop was busy since the last collection',
    })
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
}

function observeProcess(meter: Meter): void {
  meter
    .createObservableUpDownCounter(metricNames.memoryUsage, { unit: 'By', description: 'Resident memory' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableCounter(metricNames.cpuTime, { unit: 's', description: 'Processor time, user and system' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableGauge(metricNames.uptime, { unit: 's', description: 'Time since the process started' })
    .addCallback((result) => result.observe(process.uptime()));
}

/** Converts a sample in nanoseconds to seconds, without the sampling interval; 0 if there is no sample yet. */
function delaySeconds(intervalNs: number): number {
  return Math.max(0, intervalNs / 1e6 - resolutionMs) / 1000;
}
