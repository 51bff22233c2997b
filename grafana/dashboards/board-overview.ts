/** Is it healthy? The first board to open: promises kept, alerts, and the rate, errors and duration of what the hub does. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { labels, series } from '../prometheus-name.ts';
import { selector } from '../rules/promql.ts';
import { badShare, budgetLeft, type Indicator } from '../rules/recording-rules.ts';
import { burnWindows, objectives, sloWindowSeconds, slowCallSeconds, thresholds } from '../thresholds.ts';
import { type BoardSection, boardUids, createBoard, hubLogs } from './board.ts';
import { meaning, outcomeColours, percentileColours, severityColours } from './colour.ts';
import { type BoardPanel, boardLink, limit, mustBeZero, steps, units } from './panel.ts';
import { percentileLines, statPanel, timeSeriesPanel } from './panel-chart.ts';
import { logPanel, tablePanel } from './panel-list.ts';
import { hub, is, isNot, matches, overRange, perSecond, quantile, quantileOverRange, shareOf } from './promql.ts';

const outcomes = (...matchers: readonly string[]) => hub(series.toolOutcomes, ...matchers);
const served = `${series.mcpServerOperationDuration}_count`;
const toTools = boardLink('Tools', boardUids.tools);

/** The first board. */
export function overviewBoard(): Dashboard {
  return createBoard({
    uid: boardUids.overview,
    title: 'Overview',
    description: 'Is it healthy? Promises kept, alerts firing, and what the hub does, how well and how fast.',
    sections: [isItHealthy(), promises(), rateErrorsDuration(), process(), events()],
  });
}

function isItHealthy(): BoardSection {
  return {
    title: 'Is it healthy?',
    panels: [
      statPanel({
        title: 'Hubs',
        description: 'How many hubs tell of themselves? One that is silent for two minutes is not counted.',
        unit: units.count,
        queries: [{ expr: `count(${hub(series.uptime)}) or vector(0)`, legend: 'hubs' }],
        thresholds: steps(meaning.bad, { from: 1, colour: meaning.good }),
      }),
      statPanel({
        title: 'Servers connected',
        description: 'Which share of the upstream servers that should be connected can be called?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no servers',
        queries: [
          {
            expr: shareOf(`sum(${hub(series.serversConnected)})`, `sum(${hub(series.serversWanted)})`),
            legend: 'connected',
          },
        ],
        thresholds: steps(meaning.bad, { from: 0.5, colour: meaning.suspect }, { from: 1, colour: meaning.good }),
        links: [toTools],
      }),
      statPanel({
        title: 'Calls that succeed',
        description: 'Which share of the calls in the time shown succeeded?',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no calls',
        queries: [
          {
            expr: shareOf(overRange(outcomes(is(labels.outcome, 'success'))), overRange(outcomes())),
            legend: 'success',
          },
        ],
        thresholds: steps(meaning.bad, { from: 0.9, colour: meaning.suspect }, { from: 0.99, colour: meaning.good }),
        links: [toTools],
      }),
      statPanel({
        title: 'P95 duration of calls',
        description: 'How long did the slowest twentieth of the calls take at least?',
        unit: units.seconds,
        noValue: 'no calls',
        queries: [{ expr: quantileOverRange(0.95, hub(`${series.mcpClientOperationDuration}_bucket`)), legend: 'p95' }],
        thresholds: limit(thresholds.toolCallsSlow),
        links: [toTools],
      }),
      statPanel({
        title: 'Missing from the record',
        description: 'How many operations were counted but are not on the audit trail? It must be none, always.',
        unit: units.count,
        queries: [{ expr: `sum(${hub(series.auditGap)})`, legend: 'missing' }],
        thresholds: mustBeZero(),
      }),
      statPanel({
        title: 'Telemetry dropped',
        description:
          'How many spans and log records were dropped in the time shown, so that these boards do not know of them?',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(hub(series.telemetryDropped)), legend: 'dropped' }],
        thresholds: mustBeZero(),
        links: [boardLink('Telemetry pipeline', boardUids.telemetryPipeline)],
      }),
    ],
  };
}

/** How the two objectives are spoken of. */
const promiseTexts = {
  availability: { title: 'Availability', bad: 'failed through no fault of the caller', line: meaning.bad },
  latency: { title: 'Latency', bad: `took longer than ${slowCallSeconds} s`, line: meaning.suspect },
} as const satisfies Record<Indicator, { title: string; bad: string; line: string }>;

function promises(): BoardSection {
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
          toTools,
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

const hourSeconds = 3600;
const fastBurn = Math.max(...burnWindows.map(({ factor }) => factor));
const alerts = (states: string) => selector('ALERTS', matches('alertname', 'Hestia.+'), matches('alertstate', states));

function rateErrorsDuration(): BoardSection {
  const durationBuckets = hub(`${series.mcpClientOperationDuration}_bucket`);
  return {
    title: 'Rate, errors, duration',
    panels: [
      timeSeriesPanel({
        title: 'Calls by outcome',
        description: 'How many tool calls end each second, and how?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [{ expr: perSecond(outcomes(), labels.outcome), legend: `{{${labels.outcome}}}` }],
        colours: outcomeColours,
        links: [toTools],
      }),
      timeSeriesPanel({
        title: 'MCP requests that failed',
        description: 'What do agents ask for at `/mcp` that fails, and why?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        noValue: 'no request has failed',
        queries: [
          {
            expr: perSecond(hub(served, isNot(labels.errorType, '')), labels.mcpMethodName, labels.errorType),
            legend: `{{${labels.mcpMethodName}}}: {{${labels.errorType}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Duration of calls, percentiles',
        description: 'How long do calls take, for most callers and for the unlucky ones?',
        unit: units.seconds,
        size: { width: 8 },
        queries: percentileLines(durationBuckets),
        colours: percentileColours,
        links: [toTools],
      }),
      timeSeriesPanel({
        title: 'MCP requests by method',
        description: 'What do agents do: list, search, call?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [{ expr: perSecond(hub(served), labels.mcpMethodName), legend: `{{${labels.mcpMethodName}}}` }],
      }),
      timeSeriesPanel({
        title: 'HTTP requests by status',
        description: 'Are requests answered, refused (4xx), or failed by the hub (5xx)?',
        unit: units.perSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [
          {
            expr: perSecond(hub(`${series.httpServerRequestDuration}_count`), labels.httpResponseStatusCode),
            legend: `{{${labels.httpResponseStatusCode}}}`,
          },
        ],
      }),
      timeSeriesPanel({
        title: 'Duration of HTTP requests, P95, by route',
        description: 'Which route keeps callers waiting? A stream counts until it ends.',
        unit: units.seconds,
        size: { width: 8 },
        queries: [
          {
            expr: quantile(
              0.95,
              hub(`${series.httpServerRequestDuration}_bucket`, isNot(labels.httpRoute, '')),
              labels.httpRoute,
            ),
            legend: `{{${labels.httpRoute}}}`,
          },
        ],
      }),
    ],
  };
}

function process(): BoardSection {
  const perHub = (expr: string) => ({ expr, legend: '{{instance}}' });
  return {
    title: 'The process',
    panels: [
      timeSeriesPanel({
        title: 'Event loop delay, P99',
        description: 'Does the process get round to its work in time?',
        unit: units.seconds,
        size: { width: 6, height: 7 },
        queries: [perHub(`max by (instance) (${hub(series.eventLoopDelayP99)})`)],
        thresholds: limit(thresholds.eventLoopLag),
      }),
      timeSeriesPanel({
        title: 'CPU',
        description: 'How busy is the process? 100 % is one core; JavaScript uses little more than one.',
        unit: units.ratio,
        size: { width: 6, height: 7 },
        queries: [perHub(perSecond(hub(series.cpuTime), 'instance'))],
      }),
      timeSeriesPanel({
        title: 'Memory',
        description: 'Does the process grow without an end?',
        unit: units.bytes,
        size: { width: 6, height: 7 },
        queries: [perHub(`sum by (instance) (${hub(series.memoryUsage)})`)],
      }),
      timeSeriesPanel({
        title: 'Storage failures',
        description: 'Do reads or writes of the database fail, and why?',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        size: { width: 6, height: 7 },
        queries: [
          {
            expr: `sum by (${labels.errorType}) (increase(${hub(series.storageFailures)}[$__rate_interval]))`,
            legend: `{{${labels.errorType}}}`,
          },
        ],
      }),
    ],
  };
}

function events(): BoardSection {
  return {
    title: 'What happened',
    panels: [
      logPanel({
        title: 'Events',
        description: 'What happened, newest first: security, scheduler, and changes of skills, servers and keys?',
        noValue: 'nothing happened',
        query: `${hubLogs} | security_event!="" or monitoring_event!="" or change_event!="" | line_format "{{.security_event}}{{.monitoring_event}}{{.change_event}} {{.agent_id}} {{.skill_name}} {{.server_id}} {{.error_type}}"`,
        size: { width: 24 },
      }),
    ],
  };
}
