/** Observable gauges, read at each collection: audit gap, servers, scheduler, telemetry itself. */
import type { Meter } from '@opentelemetry/api';
import type { JobName } from '../shapes/scheduler.ts';
import { attributes, metricNames } from './names.ts';
import type { Delivery, Signal } from './pipeline.ts';

/** The sources of the gauges' values. Times are Unix milliseconds. */
export interface GaugeSources {
  auditGap(): number;
  auditUncovered(): number;
  /** Seconds. */
  projectorLag(): number;
  /** `wanted`: the hub keeps the server connected, or tries to. False for one disconnected on purpose. */
  servers(): readonly { serverId: string; connected: boolean; wanted: boolean }[];
  lastSuccess(): readonly { job: JobName; time: number }[];
  scheduler(): { isRunning: boolean; intervalHours: number };
  callsRunning(): number;
  /** Whether the hub was asked to shut down. The last collection of an orderly shutdown reports it. */
  isEnding(): boolean;
  telemetry(): Readonly<Record<Signal, Delivery>>;
}

/** Registers the gauges on a meter; call once. */
export function observeGauges(meter: Meter, sources: GaugeSources): void {
  meter
    .createObservableGauge(metricNames.auditGap, { description: 'Operations without an audit record; must be 0' })
    .addCallback((result) => result.observe(sources.auditGap()));
  meter
    .createObservableGauge(metricNames.auditUncovered, { description: 'Audit records after the last checkpoint' })
    .addCallback((result) => result.observe(sources.auditUncovered()));
  meter
    .createObservableGauge(metricNames.projectorLag, {
      unit: 's',
      description: 'Time for which the oldest audit record has been waiting that the views do not include',
    })
    .addCallback((result) => result.observe(sources.projectorLag()));
  meter
    .createObservableGauge(metricNames.callsRunning, { description: 'Tool calls in progress' })
    .addCallback((result) => result.observe(sources.callsRunning()));
  meter
    .createObservableGauge(metricNames.ending, { description: '1 once the hub was asked to shut down, else 0' })
    .addCallback((result) => result.observe(sources.isEnding() ? 1 : 0));
  observeServers(meter, sources);
  observeScheduler(meter, sources);
  observeTelemetry(meter, sources);
}

function observeServers(meter: Meter, { servers }: GaugeSources): void {
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const connectedGauge = gauge(metricNames.serversConnected, '1 while an upstream server is connected, else 0');
  const wantedGauge = gauge(metricNames.serversWanted, '1 while the hub keeps an upstream server connected, else 0');
  // One callback, so that both are read at the same time.
  meter.addBatchObservableCallback(
    (result) => {
      for (const { serverId, connected, wanted } of servers()) {
        result.observe(connectedGauge, connected ? 1 : 0, { [attributes.serverId]: serverId });
        result.observe(wantedGauge, wanted ? 1 : 0, { [attributes.serverId]: serverId });
      }
    },
    [connectedGauge, wantedGauge],
  );
}

function observeScheduler(meter: Meter, { scheduler, lastSuccess }: GaugeSources): void {
  meter
    .createObservableGauge(metricNames.schedulerRunning, { description: '1 while the scheduler runs, else 0' })
    .addCallback((result) => result.observe(scheduler().isRunning ? 1 : 0));
  meter
    .createObservableGauge(metricNames.schedulerInterval, { unit: 's', description: 'Time between two cleanups' })
    .addCallback((result) => result.observe(scheduler().intervalHours * 3600));
  meter
    .createObservableGauge(metricNames.schedulerLastSuccessTime, {
      unit: 's',
      description: 'Time of the last success of a job, Unix time',
    })
    .addCallback((result) => {
      for (const { job, time } of lastSuccess()) result.observe(time / 1000, { [attributes.jobName]: job });
    });
}

function observeTelemetry(meter: Meter, { telemetry }: GaugeSources): void {
  const counter = (name: string, description: string) => meter.createObservableCounter(name, { description });
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description });
  const instruments = {
    accepted: counter(metricNames.telemetryAccepted, 'Telemetry items added to the queue, by signal'),
    exported: counter(metricNames.telemetryExported, 'Telemetry items the collector accepted, by signal'),
    dropped: counter(metricNames.telemetryDropped, 'Telemetry items lost, by signal'),
    queueSize: gauge(metricNames.telemetryQueueSize, 'Telemetry items waiting or being exported, by signal'),
    queueCapacity: gauge(metricNames.telemetryQueueCapacity, 'Capacity of the telemetry queue in items, by signal'),
  } satisfies Record<keyof Delivery, unknown>;
  meter.addBatchObservableCallback((result) => {
    for (const [signal, delivery] of Object.entries(telemetry())) {
      for (const key of deliveryKeys) result.observe(instruments[key], delivery[key], { [attributes.signal]: signal });
    }
  }, Object.values(instruments));
}

const deliveryKeys = ['accepted', 'exported', 'dropped', 'queueSize', 'queueCapacity'] as const;
