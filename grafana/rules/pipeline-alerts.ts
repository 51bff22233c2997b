/** Alerts on the way of the signals: what the hub dropped or folded, and the collector. */
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
    summary: 'The hub had to drop telemetry',
    description: `The hub {{ $labels.instance }} dropped {{ $value }} items of its {{ $labels.${labels.signal} }} in the last ${duration(windowSeconds)} (threshold ${above}).`,
  };
}

/** Two ways of running out of room: our own limits on names, and the limit on series of the SDK and of span metrics. */
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
    description: `{{ if $labels.metric }}{{ $value }} series of the metric {{ $labels.metric }} stand for all that did not fit{{ else }}{{ $value }} values of the label {{ $labels.${labels.labelName} }} were told as "_other" in the last ${duration(windowSeconds)}{{ end }}, on {{ $labels.instance }} (threshold ${above}).`,
  };
}

/** Its own metrics cannot be read; or those of the hubs cannot, while its own can; or nobody is to be scraped. */
function collectorDown(): Alert {
  const { forSeconds } = thresholds.collectorDown;
  const own = `up{job="${scrapeJobs.collector}"}`;
  return {
    name: 'HestiaCollectorDown',
    severity: 'critical',
    expr: `${own} == 0 or (up{job="${scrapeJobs.hub}"} == 0 unless on () ${own} == 0) or absent(${own})`,
    forSeconds,
    summary: 'The collector is down; nothing is watched',
    description: `{{ if $labels.instance }}Prometheus has not been able to read {{ $labels.instance }} (job {{ $labels.job }}) for ${duration(forSeconds)}.{{ else }}Prometheus has no collector to read (job {{ $labels.job }}).{{ end }}`,
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
    summary: 'The collector cannot hand on what it takes',
    description: `The queue of {{ $labels.exporter }} on the collector {{ $labels.instance }} is {{ $value | humanizePercentage }} full, and over ${above * 100}% or fuller all of the last ${duration(windowSeconds)} than it was before.`,
  };
}
