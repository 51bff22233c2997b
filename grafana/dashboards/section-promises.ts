/** The objectives on the first board: are they kept, what of the budget is left, how fast is it spent, and what fires. */
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

/** How the two objectives are spoken of. */
const promiseTexts = {
  availability: { title: 'Availability', bad: 'failed through no fault of the caller', line: meaning.bad },
  latency: { title: 'Latency', bad: `took longer than ${slowCallSeconds} s`, line: meaning.suspect },
} as const satisfies Record<Indicator, { title: string; bad: string; line: string }>;

/** The section. */
export function promises(): BoardSection {
  return {
    title: 'Promises and alerts',
    panels: [
      ...promiseStats('availability'),
      ...promiseStats('latency'),
      statPanel({
        title: 'Alerts firing',
        description: 'How many alerts want somebody to look? The table below names them.',
        unit: units.count,
        size: { width: 8 },
        queries: [{ expr: `count(${alerts('firing')}) or vector(0)`, legend: 'firing' }],
        thresholds: mustBeZero(),
      }),
      timeSeriesPanel({
        title: 'How fast the error budget is spent',
        description:
          'Is something burning? At 100 % the budget lasts exactly as long as it must. Alerts look at an hour and its last five minutes, and at longer windows for slow fires.',
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
        title: 'Alerts that fire or are about to',
        description:
          'What is wrong, how badly, and where? What each alert means and what to do first is in grafana/runbook.md, under its name.',
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
      description: `Is the promise kept, that of ${objective * 100} % of the calls none ${bad}? The caller’s own mistakes count neither way.`,
      unit: units.ratio,
      decimals: 2,
      max: 1,
      noValue: 'no calls',
      queries: [{ expr: `1 - max(${badShare(indicator, sloWindowSeconds)})`, legend: title.toLowerCase() }],
      thresholds: steps(meaning.bad, { from: objective, colour: meaning.good }),
    }),
    statPanel({
      title: `${title}, budget left`,
      description:
        'How much of what may go wrong in the window has not gone wrong yet? Below zero the promise is broken.',
      unit: units.ratio,
      decimals: 0,
      max: 1,
      noValue: 'no calls',
      queries: [{ expr: `min(${budgetLeft(indicator)})`, legend: 'left' }],
      thresholds: steps(meaning.bad, { from: 0, colour: meaning.suspect }, { from: 0.5, colour: meaning.good }),
    }),
  ];
}
