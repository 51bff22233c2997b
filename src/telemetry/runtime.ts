/**
 * How the process itself is: delay and utilisation of the event loop, memory, processor time, uptime. Names are those
 * of the semantic conventions for Node.js and processes; they are read at each collection.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type Meter, metrics } from '@opentelemetry/api';
import { metricNames, scopeName } from './names.ts';

/** How often the event loop's delay is sampled, in milliseconds. What it measures holds up to this much of its own. */
const resolutionMs = 10;

/** Registers the instruments on the global meter provider. Disposing it ends the sampling. */
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

/** The sampler's intervals are in nanoseconds and hold its own resolution; with no sample yet it answers 0. */
function delaySeconds(intervalNs: number): number {
  return Math.max(0, intervalNs / 1e6 - resolutionMs) / 1000;
}
