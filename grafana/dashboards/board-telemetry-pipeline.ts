/** The dashboard Telemetry pipeline: what hub and collector accepted, exported, queued and lost. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { scrapeJobs, selector } from '../rules/promql.ts';
import { collectorFailures } from '../rules/recording-rules.ts';
import { thresholds } from '../thresholds.ts';
import { type BoardSection, createBoard, hubLogs } from './board.ts';
import { type CollectorCounter, collectorCounter, collectorGauges, collectorItems } from './collector-metrics.ts';
import { meaning } from './colour.ts';
import { limit, mustBeZero, steps, units } from './panel.ts';
import { statPanel, timeSeriesPanel } from './panel-chart.ts';
import { logPanel } from './panel-list.ts';
import { collectorPerSecond, hub, is, matches, overInterval, overRange, perSecond } from './promql.ts';

const collector = (name: string) => selector(name, is('job', scrapeJobs.collector));
const signals = ['traces', 'logs', 'metrics'] as const;
/** Items of all signals that the collector refused or lost; zero before the first. */
const lost = (...failures: readonly string[]) => selector(collectorFailures, matches('failure', failures.join('|')));

/** The dashboard Telemetry pipeline. */
export function telemetryPipelineBoard(): Dashboard {
  return createBoard({
    uid: boardUids.telemetryPipeline,
    title: 'Telemetry pipeline',
    description: 'Are the dashboards complete, or was telemetry refused, dropped or delayed on its way?',
    next: [
      ['Is the hub itself healthy?', boardUids.overview],
      ['Which tools fail or are slow?', boardUids.tools],
    ],
    sections: [inShort(), insideTheHub(), insideTheCollector(), health()],
  });
}

function inShort(): BoardSection {
  return {
    title: 'In short',
    panels: [
      statPanel({
        title: 'Collector',
        description:
          'Can the collector be scraped? While it is down, the hub queues what it can and counts the rest as dropped.',
        unit: units.count,
        queries: [{ expr: `min(${selector('up', is('job', scrapeJobs.collector))})`, legend: 'collector' }],
        words: upOrDown,
      }),
      statPanel({
        title: 'Hub metrics',
        description: 'Can the hub’s metrics be scraped from the collector?',
        unit: units.count,
        queries: [{ expr: `min(${selector('up', is('job', scrapeJobs.hub))})`, legend: 'hub metrics' }],
        words: upOrDown,
      }),
      statPanel({
        title: 'Dropped by the hub',
        description:
          'How many spans and log records did the hub drop in the time shown? The audit trail is not affected.',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(hub(series.telemetryDropped)), legend: 'dropped' }],
        thresholds: mustBeZero(),
      }),
      statPanel({
        title: 'Collector refused',
        description: 'How many items did the collector refuse in the time shown? Their senders retry.',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(lost('refused')), legend: 'refused' }],
        thresholds: steps(meaning.good, { from: 0.5, colour: meaning.suspect }),
      }),
      statPanel({
        title: 'Collector lost',
        description: 'How many items could the collector neither send nor queue in the time shown? They are lost.',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(lost('not sent', 'not queued')), legend: 'failed' }],
        thresholds: mustBeZero(),
      }),
      statPanel({
        title: 'Fullest queue',
        description: 'How full is the fullest queue of the collector? A full queue loses new items.',
        unit: units.ratio,
        min: 0,
        max: 1,
        queries: [
          {
            expr: `max(${collector(collectorGauges.queueSize)} / ${collector(collectorGauges.queueCapacity)})`,
            legend: 'full',
          },
        ],
        thresholds: limit(thresholds.collectorQueueFilling),
      }),
    ],
  };
}

const upOrDown = { 0: ['down', meaning.bad], 1: ['up', meaning.good] } satisfies Record<number, [string, string]>;

function insideTheHub(): BoardSection {
  const bySignal = (name: string, what: string) => ({
    expr: perSecond(hub(name), labels.signal),
    legend: `{{${labels.signal}}} ${what}`,
  });
  return {
    title: 'Inside the hub',
    panels: [
      timeSeriesPanel({
        title: 'Accepted and exported, by signal',
        description:
          'Does the telemetry of the hub reach the collector? Diverging lines of a signal are a growing queue.',
        unit: units.itemsPerSecond,
        many: true,
        queries: [bySignal(series.telemetryAccepted, 'accepted'), bySignal(series.telemetryExported, 'exported')],
      }),
      timeSeriesPanel({
        title: 'Dropped, by signal',
        description: 'How much is missing from traces and logs, and since when?',
        unit: units.itemsPerSecond,
        size: { width: 6 },
        queries: [bySignal(series.telemetryDropped, 'dropped')],
        colours: {
          'traces dropped': meaning.bad,
          'logs dropped': 'dark-red',
          'metrics dropped': 'light-red',
        },
      }),
      timeSeriesPanel({
        title: 'Queues of the hub',
        description:
          'How full are the queues of the hub? They fill while the collector is down and empty once it is back.',
        unit: units.ratio,
        max: 1,
        size: { width: 6 },
        queries: [
          {
            expr: `max by (${labels.signal}) (${hub(series.telemetryQueueSize)} / (${hub(series.telemetryQueueCapacity)} > 0))`,
            legend: `{{${labels.signal}}}`,
          },
        ],
      }),
    ],
  };
}

function insideTheCollector(): BoardSection {
  const bySignal = (counter: CollectorCounter, what: string) =>
    signals.map((signal) => ({
      expr: collectorPerSecond(collector(collectorCounter(counter, signal))),
      legend: `${collectorItems[signal].replace('_', ' ')} ${what}`,
    }));
  const byExporter = (counter: CollectorCounter, what: string) =>
    (['traces', 'logs'] as const).map((signal) => ({
      expr: collectorPerSecond(collector(collectorCounter(counter, signal)), 'exporter'),
      legend: `{{exporter}} ${what}`,
    }));
  return {
    title: 'Inside the collector',
    panels: [
      timeSeriesPanel({
        title: 'Received',
        description: 'How much does the collector receive, and how much does it refuse?',
        unit: units.itemsPerSecond,
        size: { width: 8 },
        queries: [...bySignal('receiver_accepted', 'accepted'), ...bySignal('receiver_refused', 'refused')],
      }),
      timeSeriesPanel({
        title: 'Sent, by exporter',
        description: 'How much does the collector send, and which exporter fails?',
        unit: units.itemsPerSecond,
        size: { width: 8 },
        queries: [
          ...byExporter('exporter_sent', 'sent'),
          ...byExporter('exporter_send_failed', 'failed'),
          ...byExporter('exporter_enqueue_failed', 'could not be queued'),
        ],
      }),
      timeSeriesPanel({
        title: 'Queues of the collector',
        description:
          'How much is queued for Tempo and Loki, on disk? The queue fills while a store is down and empties once it is back.',
        unit: units.ratio,
        max: 1,
        size: { width: 8 },
        queries: [
          {
            expr: `max by (exporter) (${collector(collectorGauges.queueSize)} / ${collector(collectorGauges.queueCapacity)})`,
            legend: '{{exporter}}',
          },
        ],
      }),
    ],
  };
}

function health(): BoardSection {
  return {
    title: 'Health of the pipeline',
    panels: [
      timeSeriesPanel({
        title: 'Memory of the collector',
        description: 'Is the collector near its memory limit, at which it begins to refuse?',
        unit: units.bytes,
        size: { width: 8 },
        queries: [{ expr: `max by (instance) (${collector(collectorGauges.memory)})`, legend: '{{instance}}' }],
      }),
      timeSeriesPanel({
        title: 'Series scraped',
        description: 'Does the number of series grow without bound? Labels are bounded, so it must level off.',
        unit: units.count,
        decimals: 0,
        size: { width: 8 },
        queries: [
          {
            expr: `sum by (job) (${selector('scrape_samples_scraped', matches('job', Object.values(scrapeJobs).join('|')))})`,
            legend: '{{job}}',
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Label values counted as _other',
        description: 'Did a label reach its limit, so that new tools or namespaces are counted together as `_other`?',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        size: { width: 8 },
        queries: [
          {
            expr: overInterval(hub(series.labelOverflow), labels.labelName),
            legend: `{{${labels.labelName}}}`,
          },
        ],
      }),
      logPanel({
        title: 'Warnings and errors of the hub',
        description: 'Which warnings and errors did the hub log?',
        noValue: 'no warning and no error',
        query: `${hubLogs} | severity_text=~"WARN|ERROR"`,
        size: { width: 24 },
      }),
    ],
  };
}
