/** Cases of the alerts on the telemetry pipeline: inputs for which they fire, and near misses. */
import type { AlertCase } from './rule-case.ts';
import { collector, hub } from './rule-case.ts';

const warning = { severity: 'warning' };
const critical = { severity: 'critical' };

const ofCollector = `job="${collector.job}", instance="${collector.instance}"`;
const up = `up{${ofCollector}}`;
const upOfHubs = 'up{job="hestia", instance="collector:9464"}';
const notSent = `otelcol_exporter_send_failed_spans_total{${ofCollector}, exporter="otlp_http/tempo"}`;
const refused = `otelcol_receiver_refused_log_records_total{${ofCollector}, receiver="otlp", transport="http"}`;
const queue = `${ofCollector}, exporter="otlp_http/tempo", data_type="traces"`;
const queueSize = `otelcol_exporter_queue_size{${queue}}`;
const queueCapacity = `otelcol_exporter_queue_capacity{${queue}}`;
const overflowed = 'hestia_tool_outcomes_total{otel_metric_overflow="true"}';

/** The cases of alerts on the pipeline. */
export const pipelineAlertCases: readonly AlertCase[] = [
  {
    alert: 'HestiaTelemetryDropped',
    when: 'spans were dropped',
    input: {
      'hestia_telemetry_dropped_total{otel_signal="traces"}': '0 0 7x10',
      'hestia_telemetry_dropped_total{otel_signal="logs"}': '0x10',
    },
    at: '4m',
    fires: [
      {
        labels: { ...warning, ...hub, otel_signal: 'traces' },
        description: 'The hub hub-1 dropped 7 items of its traces in the last 15m (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaTelemetryDropped',
    when: 'the drop was twenty minutes ago',
    input: { 'hestia_telemetry_dropped_total{otel_signal="traces"}': '0 7x40' },
    at: '21m',
    fires: [],
  },
  {
    alert: 'HestiaMetricOverflow',
    when: 'tools were counted as _other',
    input: { 'hestia_telemetry_label_overflow_total{hestia_label_name="tool_name"}': '0 0 4x10' },
    at: '4m',
    fires: [
      {
        labels: { ...warning, ...hub, hestia_label_name: 'tool_name' },
        description: '4 values of the label tool_name were counted as "_other" in the last 1h, on hub-1 (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaMetricOverflow',
    when: 'the SDK reached its limit of series',
    input: { [overflowed]: '3x10' },
    at: '4m',
    fires: [
      {
        labels: { ...warning, ...hub, metric: 'hestia_tool_outcomes_total' },
        description:
          '1 series of the metric hestia_tool_outcomes_total aggregate what exceeds its limit, on hub-1 (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaMetricOverflow',
    when: 'nothing was folded',
    input: {
      'hestia_telemetry_label_overflow_total{hestia_label_name="tool_name"}': '0x10',
      'hestia_tool_outcomes_total{gen_ai_tool_name="_other"}': '3x10',
    },
    at: '4m',
    fires: [],
  },
  {
    alert: 'HestiaCollectorDown',
    when: 'neither of its ports responds',
    input: { [up]: '1 0x10', [upOfHubs]: '1 0x10' },
    at: '3m',
    fires: [
      {
        labels: { ...critical, ...collector },
        description: 'Prometheus has not been able to scrape collector:8888 (job otel-collector) for 1m.',
      },
    ],
  },
  {
    alert: 'HestiaCollectorDown',
    when: 'only the metrics of the hubs cannot be scraped',
    input: { [up]: '1x10', [upOfHubs]: '1 0x10' },
    at: '3m',
    fires: [
      {
        labels: { ...critical, job: 'hestia', instance: 'collector:9464' },
        description: 'Prometheus has not been able to scrape collector:9464 (job hestia) for 1m.',
      },
    ],
  },
  {
    alert: 'HestiaCollectorDown',
    when: 'it is not configured as a target',
    input: {},
    at: '3m',
    fires: [
      {
        labels: { ...critical, job: 'otel-collector' },
        description: 'Prometheus has no collector to scrape (job otel-collector).',
      },
    ],
  },
  {
    alert: 'HestiaCollectorDown',
    when: 'one scrape failed',
    input: { [up]: '1 1 0 1 1', [upOfHubs]: '1 1 0 1 1' },
    at: '3m',
    fires: [],
  },
  {
    alert: 'HestiaCollectorFailing',
    when: 'spans could not be sent, for the first time',
    input: { [up]: '1x30', [notSent]: '_x5 5x20' },
    at: '10m',
    fires: [
      {
        labels: { ...warning, ...collector, failure: 'not sent' },
        description:
          '5 spans, log records or metric points were not sent by the collector collector:8888 in the last 15m (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaCollectorFailing',
    when: 'log records were refused',
    input: { [up]: '1x30', [refused]: '0x5 12x20' },
    at: '10m',
    fires: [
      {
        labels: { ...warning, ...collector, failure: 'refused' },
        description:
          '12 spans, log records or metric points were refused by the collector collector:8888 in the last 15m (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaCollectorFailing',
    when: 'the failures were earlier, and a scrape has failed since',
    input: { [up]: '1x10 0 1x20', [notSent]: '100x10 stale 100x20' },
    at: '15m',
    fires: [],
  },
  {
    alert: 'HestiaCollectorQueueFilling',
    when: 'it is more than half full',
    input: { [queueSize]: '60x20', [queueCapacity]: '100x20' },
    at: '6m',
    fires: [
      {
        labels: { ...warning, ...collector, exporter: 'otlp_http/tempo' },
        description:
          'The queue of otlp_http/tempo on the collector collector:8888 is 60% full: over 50%, or fuller during the last 5m than before.',
      },
    ],
  },
  {
    alert: 'HestiaCollectorQueueFilling',
    when: 'it grows, but is far from full',
    input: { [queueSize]: '2x10 0+4x40', [queueCapacity]: '1000x60' },
    at: '30m',
    fires: [
      {
        labels: { ...warning, ...collector, exporter: 'otlp_http/tempo' },
        description:
          'The queue of otlp_http/tempo on the collector collector:8888 is 7.6% full: over 50%, or fuller during the last 5m than before.',
      },
    ],
  },
  {
    alert: 'HestiaCollectorQueueFilling',
    when: 'it is half full and does not grow',
    input: { [queueSize]: '50 40 50 45x20', [queueCapacity]: '100x30' },
    at: '15m',
    fires: [],
  },
];
