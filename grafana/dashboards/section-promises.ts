/** The objectives on the dashboard Overview: availability, latency, remaining error budget, burn rate, and alerts. */
import { labels } from '../prometheus-name.ts';
import { scrapeJobs, selector } from '../rules/promql.ts';
import { chartWindowsSeconds, hubCalls, type Indicator } from '../rules/recording-rules.ts';
import { burnWindows, objectives, sloWindowSeconds, slowCallSeconds } from '../thresholds.ts';
import type { BoardSection } from './board.ts';
import { meaning, severityColours } from './colour.ts';
import { type BoardPanel, keptRange, linkTo, mustBeZero, steps, units } from './panel.ts';
import { statPanel, timeSeriesPanel } from './panel-chart.ts';
import { tablePanel } from './panel-list.ts';
import { hub, is, matches } from './promql.ts';

const hourSeconds = 3600;
const fastBurn = Math.max(...burnWindows.map(({ factor }) => factor));

/** Alerts on the selected hubs and deployments, and alerts on the collector, which have no hub. */
function alerts(name: 'ALERTS' | 'ALERTS_FOR_STATE', ...more: readonly string[]): string {
  const ours = matches('alertname', 'Hestia.+');
  const ofHubs = selector(name, ours, 'job=~"$job"', 'instance=~"$instance|"', ...more);
  const ofPipeline = selector(name, ours, `job=~"${Object.values(scrapeJobs).join('|')}|"`, ...more);
  return `(${ofHubs} or ${ofPipeline})`;
}

/** Texts and colours of the two objectives. */
const promiseTexts = {
  availability: { title: 'Availability', bad: 'failed without a mistake of the caller', line: meaning.bad },
  latency: { title: 'Latency', bad: `took longer than ${slowCallSeconds} s`, line: meaning.suspect },
} as const satisfies Record<Indicator, { title: string; bad: string; line: string }>;

/** The share of bad calls of the selected hubs in a window; no value without calls. */
function badShare(indicator: Indicator, windowSeconds: number): string {
  const sum = (calls: 'bad' | 'all') => `sum(${hub(hubCalls(indicator, calls, windowSeconds))})`;
  return `${sum('bad')} / (${sum('all')} > 0)`;
}

/** Creates the section. */
export function promises(): BoardSection {
  return {
    title: 'Objectives and alerts',
    panels: [
      firingAlerts(),
      alertTable(),
      ...promiseStats('availability'),
      ...promiseStats('latency'),
      timeSeriesPanel({
        title: 'How fast the error budget is spent',
        description:
          'How fast is the error budget spent? At 100 % it lasts exactly its window. Alerts evaluate one hour and its last five minutes, and longer windows for slow burns.',
        unit: units.ratio,
        size: { width: 8, height: 6 },
        noValue: 'no traffic yet',
        queries: (['availability', 'latency'] as const).flatMap((indicator) =>
          chartWindowsSeconds.map((window) => ({
            expr: `${badShare(indicator, window)} / (1 - ${objectives[indicator].objective})`,
            legend: `${promiseTexts[indicator].title.toLowerCase()}, ${window / hourSeconds} h`,
          })),
        ),
        thresholds: steps(meaning.good, { from: 1, colour: meaning.suspect }, { from: fastBurn, colour: meaning.bad }),
      }),
    ],
  };
}

function firingAlerts(): BoardPanel {
  return statPanel({
    title: 'Alerts firing',
    description: 'How many alerts are firing? The table beside it names them.',
    unit: units.count,
    size: { width: 4, height: 8 },
    queries: [{ expr: `count(${alerts('ALERTS', is('alertstate', 'firing'))}) or vector(0)`, legend: 'firing' }],
    thresholds: mustBeZero(),
  });
}

/** Labels of alerts as the table has them, and those that links need, which are not shown. */
const alertLabels = ['alertname', 'severity', 'alertstate', labels.serverId, 'instance', 'job', 'board', 'outcome'];

/**
 * A row for each alert, with the time at which its condition began to hold. A link selects `All` where an alert has no
 * server, outcome or hub.
 */
function alertTable(): BoardPanel {
  const since = `${alerts('ALERTS_FOR_STATE')} * ignoring (alertstate) group_right () ${alerts('ALERTS')}`;
  const pipelineJobs = `${Object.values(scrapeJobs).join('|')}|`;
  const withAll = (expr: string, label: string, source = label, pattern = '') =>
    `label_replace(${expr}, "${label}", "All", "${source}", "${pattern}")`;
  const perAlert = `1000 * max by (${alertLabels.join(', ')}) (${since})`;
  const ofHub = withAll(withAll(perAlert, 'instance', 'job', pipelineJobs), 'job', 'job', pipelineJobs);
  const selecting = ['instance', labels.serverId, 'outcome'].reduce((expr, label) => withAll(expr, label), ofHub);
  const selection = ['job', 'instance', 'server', 'outcome'].map(
    (name) => `var-${name}=\${__data.fields.${name === 'instance' ? 'hub' : name}:percentencode}`,
  );
  return tablePanel({
    title: 'Firing and pending alerts',
    description:
      'What is wrong, how severe is it, where, and since when? Click the name of an alert for the dashboard that shows its cause, filtered to what fired, and its last cell for what to do.',
    noValue: 'no alert fires',
    rows: {
      severity: { title: 'severity', width: 90 },
      alertname: {
        title: 'alert',
        width: 270,
        link: linkTo('What fired', `/d/\${__data.fields.board}?${keptRange}&${selection.join('&')}`),
      },
      alertstate: { title: 'state', width: 80 },
      instance: { title: 'hub' },
      [labels.serverId]: { title: 'server' },
      runbook: { title: 'what to do', width: 110, link: linkTo('Runbook', '${runbook}#${__data.fields.alert}') },
      job: { title: 'job', isHidden: true },
      board: { title: 'board', isHidden: true },
      outcome: { title: 'outcome', isHidden: true },
    },
    last: ['instance', labels.serverId, 'runbook', 'job', 'board', 'outcome'],
    columns: [
      {
        title: 'since',
        expr: `label_replace(${selecting}, "runbook", "runbook", "", "")`,
        unit: units.since,
        width: 130,
      },
    ],
    sortBy: 'severity',
    colours: severityColours,
    size: { width: 20, height: 8 },
  });
}

function promiseStats(indicator: Indicator): BoardPanel[] {
  const { title, bad } = promiseTexts[indicator];
  const { objective } = objectives[indicator];
  const days = sloWindowSeconds / (24 * hourSeconds);
  const share = badShare(indicator, sloWindowSeconds);
  return [
    statPanel({
      title: `${title}, ${days} days`,
      description: `Is the objective of ${objective * 100} % good calls met on the selected hubs? A call is bad if it ${bad}. Mistakes of callers are not counted.`,
      unit: units.ratio,
      decimals: 2,
      min: 0,
      max: 1,
      size: { height: 6 },
      noValue: 'no traffic yet',
      queries: [{ expr: `clamp(1 - ${share}, 0, 1)`, legend: title.toLowerCase() }],
      thresholds: steps(meaning.bad, { from: objective, colour: meaning.good }),
    }),
    statPanel({
      title: `${title}: budget left`,
      description:
        'Which share of the error budget of the window is left on the selected hubs? At 0 %, all of it is spent, or more.',
      unit: units.ratio,
      decimals: 0,
      min: 0,
      max: 1,
      size: { height: 6 },
      noValue: 'no traffic yet',
      queries: [{ expr: `clamp(1 - ${share} / (1 - ${objective}), 0, 1)`, legend: 'left' }],
      thresholds: steps(meaning.bad, { from: 0.001, colour: meaning.suspect }, { from: 0.5, colour: meaning.good }),
    }),
  ];
}
