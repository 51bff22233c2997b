/** Alerts on the telemetry pipeline: items dropped by the hub, metric overflow, and the collector. */
import { labels, series } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import { countedBy, duration, grows, hubLabels, type RuleOptions, scrapeJobs } from './promql.ts';
import { collectorFailures } from './recording-rules.ts';
import type { Alert } from './rule.ts';

/** The alerts on the pipeline. */
export function pipelineAlerts(options: RuleOptions): Alert[] {
  return [
    telemetryDropped(options),
    metricOverflow(options),
    collectorDown(),
    collectorFailing(options),
    collectorQueueFilling(options),
  ];
}

function telemetryDropped(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.telemetryDropped;
  const dropped = countedBy(`${hubLabels}, ${labels.signal}`, series.telemetryDropped, windowSeconds, options);
  return {
    name: 'HestiaTelemetryDropped',
    severity: 'warning',
    expr: `${dropped} > ${above}`,
    forSeconds,
    summary: 'The hub dropped telemetry',
    description: `The hub {{ $labels.instance }} dropped {{ $value }} items of its {{ $labels.${labels.signal} }} in the last ${duration(windowSeconds)} (threshold ${above}).`,
  };
}

/** Two limits: that of the hub on label values, and that of the SDK and of span metrics on series. */
function metricOverflow(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.metricOverflow;
  const folded = countedBy(`${hubLabels}, ${labels.labelName}`, series.labelOverflow, windowSeconds, options);
  const named = 'label_replace({otel_metric_overflow="true"}, "metric", "$1", "__name__", "(.+)")';
  return {
    name: 'HestiaMetricOverflow',
    severity: 'warning',
    expr: `${folded} > ${above} or count by (${hubLabels}, metric) (${named}) > ${above}`,
    forSeconds,
    summary: 'A metric has more series than it may have',
    description: `{{ if $labels.metric }}{{ $value }} series of the metric {{ $labels.metric }} aggregate what exceeds its limit{{ else }}{{ $value }} values of the label {{ $labels.${labels.labelName} }} were counted as "_other" in the last ${duration(windowSeconds)}{{ end }}, on {{ $labels.instance }} (threshold ${above}).`,
  };
}

/** Fires if the metrics of the collector cannot be scraped, if only those of the hubs cannot, or if there is no target. */
function collectorDown(): Alert {
  const { forSeconds } = thresholds.collectorDown;
  const own = `up{job="${scrapeJobs.collector}"}`;
  return {
    name: 'HestiaCollectorDown',
    severity: 'critical',
    expr: `${own} == 0 or (up{job="${scrapeJobs.hub}"} == 0 unless on () ${own} == 0) or absent(${own})`,
    forSeconds,
    summary: 'The collector is down; nothing is monitored',
    description: `{{ if $labels.instance }}Prometheus has not been able to scrape {{ $labels.instance }} (job {{ $labels.job }}) for ${duration(forSeconds)}.{{ else }}Prometheus has no collector to scrape (job {{ $labels.job }}).{{ end }}`,
  };
}

function collectorFailing({ timeScale }: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.collectorFailing;
  return {
    name: 'HestiaCollectorFailing',
    severity: 'warning',
    expr: `round(increase(${collectorFailures}[${duration(windowSeconds * timeScale)}])) > ${above}`,
    forSeconds,
    summary: 'The collector refuses or loses telemetry',
    description: `{{ $value }} spans, log records or metric points were {{ $labels.failure }} by the collector {{ $labels.instance }} in the last ${duration(windowSeconds)} (threshold ${above}).`,
  };
}

function collectorQueueFilling(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.collectorQueueFilling;
  const size = 'otelcol_exporter_queue_size';
  const by = 'job, instance, exporter';
  const share = `max by (${by}) (${size} / otelcol_exporter_queue_capacity)`;
  return {
    name: 'HestiaCollectorQueueFilling',
    severity: 'warning',
    expr: `${share} > ${above} or (${share} and on (${by}) (${grows(size, windowSeconds, options)}))`,
    forSeconds,
    summary: 'The queue of the collector is filling up',
    description: `The queue of {{ $labels.exporter }} on the collector {{ $labels.instance }} is {{ $value | humanizePercentage }} full: over ${above * 100}%, or fuller during the last ${duration(windowSeconds)} than before.`,
  };
}
