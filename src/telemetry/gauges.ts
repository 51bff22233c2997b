/** Values that are read at each collection instead of being told: the audit gap, connected servers, last successes, losses. */
import type { Meter } from '@opentelemetry/api';
import type { JobName } from '../shapes/scheduler.ts';
import { attributes, metricNames } from './names.ts';

/** Where the gauges get their values from. Times are Unix milliseconds. */
export interface GaugeSources {
  auditGap(): number;
  serversConnected(): readonly { serverId: string; connected: boolean }[];
  lastSuccess(): readonly { job: JobName; time: number }[];
  telemetryDropped(): Readonly<Record<'traces' | 'logs' | 'metrics', number>>;
}

/** Registers the gauges on a meter; call once. */
export function observeGauges(meter: Meter, sources: GaugeSources): void {
  meter
    .createObservableGauge(metricNames.auditGap, { description: 'Operations counted but not on record; must be 0' })
    .addCallback((result) => result.observe(sources.auditGap()));
  meter
    .createObservableGauge(metricNames.serversConnected, {
      description: '1 while an upstream server is connected, else 0',
    })
    .addCallback((result) => {
      for (const { serverId, connected } of sources.serversConnected()) {
        result.observe(connected ? 1 : 0, { [attributes.serverId]: serverId });
      }
    });
  meter
    .createObservableGauge(metricNames.schedulerLastSuccessTime, {
      unit: 's',
      description: 'When a job last succeeded, Unix time',
    })
    .addCallback((result) => {
      for (const { job, time } of sources.lastSuccess()) result.observe(time / 1000, { [attributes.jobName]: job });
    });
  meter
    .createObservableCounter(metricNames.telemetryDropped, { description: 'Telemetry items lost, by signal' })
    .addCallback((result) => {
      for (const [signal, count] of Object.entries(sources.telemetryDropped())) {
        result.observe(count, { [attributes.signal]: signal });
      }
    });
}
