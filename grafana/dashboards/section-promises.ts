/** The objectives on the dashboard Overview: availability, latency, remaining error budget, burn rate, and alerts. */
import { labels } from '../prometheus-name.ts';
import { selector } from '../rules/promql.ts';
import { badShare, budgetLeft, type Indicator } from '../rules/recording-rules.ts';
import { burnWindows, objectives, sloWindowSeconds, slowCallSeconds } from '../thresholds.ts';
import { type BoardSection, boardUids } from './board.ts';
import { meaning, severityColours } from './colour.ts';
import { type BoardPanel, boardLink, mustBeZero, steps, units } from './panel.ts';
import { statPanel, timeSeriesPanel } from './panel-chart.ts';
import { tablePanel } from './panel-list.ts';
import { matches } from './promql.ts';

const hourSeconds = 3600;
const fastBurn = Math.max(...burnWindows.map(({ factor }) => factor));
const alerts = (states: string) => selector('ALERTS', matches('alertname', 'Hestia.+'), matches('alertstate', states));

/** Texts and colours of the two objectives. */
const promiseTexts = {
  availability: { title: 'Availability', bad: 'failed without a mistake of the caller', line: meaning.bad },
  latency: { title: 'Latency', bad: `took longer than ${slowCallSeconds} s`, line: meaning.suspect },
} as const satisfies Record<Indicator, { title: string; bad: string; line: string }>;

/** Creates the section. */
export function promises(): BoardSection {
  return {
    title: 'Objectives and alerts',
    panels: [
      ...promiseStats('availability'),
      ...promiseStats('latency'),
      statPanel({
        title: 'Alerts firing',
        description: 'How many alerts are firing? The table below names them.',
        unit: units.count,
        size: { width: 8 },
        queries: [{ expr: `count(${alerts('firing')}) or vector(0)`, legend: 'firing' }],
        thresholds: mustBeZero(),
      }),
      timeSeriesPanel({
        title: 'Burn rate of the error budget',
        description:
          'How fast is the error budget spent? At 100 % it lasts exactly its window. Alerts evaluate one hour and its last five minutes, and longer windows for slow burns.',
        unit: units.ratio,
        noValue: 'no calls',
        queries: (['availability', 'latency'] as const).flatMap((indicator) =>
          [hourSeconds, 6 * hourSeconds].map((window) => ({
            expr: `max(${badShare(indicator, window)}) / (1 - ${objectives[indicator].objective})`,
            legend: `${promiseTexts[indicator].title.toLowerCase()}, ${window / hourSeconds} h`,
          })),
        ),
        thresholds: steps(meaning.good, { from: 1, colour: meaning.suspect }, { from: fastBurn, colour: meaning.bad }),
      }),
      tablePanel({
        title: 'Firing and pending alerts',
        description:
          'What is wrong, how severe is it, and where? grafana/runbook.md explains each alert under its name.',
        noValue: 'no alert fires',
        rows: {
          alertname: 'alert',
          severity: 'severity',
          alertstate: 'state',
          [labels.serverId]: 'server',
          instance: 'hub',
        },
        columns: [
          {
            title: 'alerts',
            expr: `sum by (alertname, severity, alertstate, ${labels.serverId}, instance) (${alerts('firing|pending')})`,
            unit: units.count,
          },
        ],
        sortBy: 'severity',
        colours: severityColours,
        size: { height: 8 },
        links: [
          boardLink('Tools', boardUids.tools),
          boardLink('Skills and security', boardUids.skillsAndSecurity),
          boardLink('Scheduler', boardUids.scheduler),
          boardLink('Telemetry pipeline', boardUids.telemetryPipeline),
        ],
      }),
    ],
  };
}

function promiseStats(indicator: Indicator): BoardPanel[] {
  const { title, bad } = promiseTexts[indicator];
  const { objective } = objectives[indicator];
  const days = sloWindowSeconds / (24 * hourSeconds);
  return [
    statPanel({
      title: `${title}, ${days} days`,
      description: `Is the objective of ${objective * 100} % good calls met? A call is bad if it ${bad}. Mistakes of callers are not counted.`,
      unit: units.ratio,
      decimals: 2,
      max: 1,
      noValue: 'no calls',
      queries: [{ expr: `1 - max(${badShare(indicator, sloWindowSeconds)})`, legend: title.toLowerCase() }],
      thresholds: steps(meaning.bad, { from: objective, colour: meaning.good }),
    }),
    statPanel({
      title: `${title}, budget left`,
      description: 'Which share of the error budget of the window is left? Below zero, the objective is missed.',
      unit: units.ratio,
      decimals: 0,
      max: 1,
      noValue: 'no calls',
      queries: [{ expr: `min(${budgetLeft(indicator)})`, legend: 'left' }],
      thresholds: steps(meaning.bad, { from: 0, colour: meaning.suspect }, { from: 0.5, colour: meaning.good }),
    }),
  ];
}
