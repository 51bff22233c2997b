/** The dashboard Overview: objectives, alerts, and the rate, errors and duration of calls. The first one to open. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import { type BoardSection, createBoard, hubLogs } from './board.ts';
import { meaning, outcomeColours, percentileColours, statusColours } from './colour.ts';
import { type BoardPanel, boardLink, limit, mustBeZero, type PanelText, steps, units } from './panel.ts';
import { percentileLines, statPanel, timeSeriesPanel } from './panel-chart.ts';
import { logPanel } from './panel-list.ts';
import {
  hub,
  is,
  isNot,
  matches,
  overInterval,
  overRange,
  perSecond,
  quantile,
  quantileOverRange,
  shareOf,
} from './promql.ts';
import { promises } from './section-promises.ts';

const outcomes = (...matchers: readonly string[]) => hub(series.toolOutcomes, ...matchers);
const served = `${series.mcpServerOperationDuration}_count`;
const toTools = boardLink('Tools', boardUids.tools);
/** The routes of MCP, of tools, and of activations. Of all routes, there are more than colours that differ. */
const agentRoutes = '/(mcp|sse).*|/v1/tools.*|/v1/skills/:name/(de)?activate';

/** The dashboard Overview. */
export function overviewBoard(): Dashboard {
  return createBoard({
    uid: boardUids.overview,
    title: 'Overview',
    description: 'Is everything healthy, are the objectives met, and if not, which alert says why?',
    next: [
      ['Which tools fail or are slow?', boardUids.tools],
      ['Who was refused?', boardUids.skillsAndSecurity],
      ['Do cleanups run?', boardUids.scheduler],
      ['Do agents find tools?', boardUids.searchAndLearning],
      ['Is anything missing here?', boardUids.telemetryPipeline],
    ],
    sections: [isItHealthy(), promises(), rateErrorsDuration(), process(), events()],
  });
}

function isItHealthy(): BoardSection {
  return {
    title: 'Is it healthy?',
    panels: [
      statPanel({
        title: 'Hubs',
        description: 'How many hubs send metrics? A hub that has sent none for two minutes is not counted.',
        unit: units.count,
        queries: [{ expr: `count(${hub(series.uptime)}) or vector(0)`, legend: 'hubs' }],
        thresholds: steps(meaning.bad, { from: 1, colour: meaning.good }),
      }),
      statPanel({
        title: 'Servers connected',
        description: 'Which share of the configured upstream servers is connected?',
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
        noValue: 'no traffic yet',
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
        title: 'P95 duration',
        description: 'How long did the slowest 5 % of the calls take at least?',
        unit: units.seconds,
        noValue: 'no traffic yet',
        queries: [{ expr: quantileOverRange(0.95, hub(`${series.mcpClientOperationDuration}_bucket`)), legend: 'p95' }],
        thresholds: limit(thresholds.toolCallsSlow),
        links: [toTools],
      }),
      statPanel({
        title: 'Records missing',
        description:
          'How many operations are missing from the audit trail, although they happened? It must always be zero.',
        unit: units.count,
        queries: [{ expr: `sum(${hub(series.auditGap)})`, legend: 'missing' }],
        thresholds: mustBeZero(),
      }),
      statPanel({
        title: 'Telemetry dropped',
        description:
          'How many spans and log records were dropped in the time shown, and are missing from these dashboards?',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(hub(series.telemetryDropped)), legend: 'dropped' }],
        thresholds: mustBeZero(),
        links: [boardLink('Telemetry pipeline', boardUids.telemetryPipeline)],
      }),
    ],
  };
}

function rateErrorsDuration(): BoardSection {
  const durationBuckets = hub(`${series.mcpClientOperationDuration}_bucket`);
  return {
    title: 'Rate, errors, duration',
    panels: [
      timeSeriesPanel({
        title: 'Calls by outcome',
        description: 'How many tool calls finish per second, and with which outcome?',
        unit: units.callsPerSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [{ expr: perSecond(outcomes(), labels.outcome), legend: `{{${labels.outcome}}}` }],
        colours: outcomeColours,
        links: [toTools],
      }),
      timeSeriesPanel({
        title: 'Duration of calls, percentiles',
        description: 'How long do calls take at the 50th, 95th and 99th percentile?',
        unit: units.seconds,
        size: { width: 8 },
        queries: percentileLines(durationBuckets),
        colours: percentileColours,
        links: [toTools],
      }),
      timeSeriesPanel({
        title: 'HTTP requests by status',
        description: 'Are requests answered, refused (4xx), or failed by the hub (5xx)?',
        unit: units.requestsPerSecond,
        form: 'stacked',
        size: { width: 8 },
        queries: [
          {
            expr: perSecond(hub(`${series.httpServerRequestDuration}_count`), labels.httpResponseStatusCode),
            legend: `{{${labels.httpResponseStatusCode}}}`,
          },
        ],
        colourPatterns: statusColours,
      }),
      timeSeriesPanel({
        title: 'MCP requests by method',
        description: 'Which MCP methods do agents use: list, search, call?',
        unit: units.requestsPerSecond,
        many: true,
        form: 'stacked',
        size: { width: 12 },
        queries: [{ expr: perSecond(hub(served), labels.mcpMethodName), legend: `{{${labels.mcpMethodName}}}` }],
      }),
      timeSeriesPanel({
        title: 'MCP requests that failed',
        description: 'Which requests of agents to `/mcp` fail, and why?',
        unit: units.requestsPerSecond,
        many: true,
        form: 'stacked',
        size: { width: 12 },
        noValue: 'no request has failed',
        queries: [
          {
            expr: perSecond(hub(served, isNot(labels.errorType, '')), labels.mcpMethodName, labels.errorType),
            legend: `{{${labels.mcpMethodName}}}: {{${labels.errorType}}}`,
          },
        ],
      }),
      routeDurations({
        title: 'P95 duration by route: MCP and tools',
        description: 'Which route that agents use is slow? A stream counts until it is closed.',
        routes: matches(labels.httpRoute, agentRoutes),
      }),
      routeDurations({
        title: 'P95 duration by route: others',
        description: 'Which other route is slow? A stream counts until it is closed.',
        routes: `${labels.httpRoute}!~"|${agentRoutes}"`,
      }),
    ],
  };
}

function routeDurations({ routes, ...texts }: PanelText & { routes: string }): BoardPanel {
  return timeSeriesPanel({
    ...texts,
    unit: units.seconds,
    many: true,
    size: { width: 12 },
    noValue: 'no request yet',
    queries: [
      {
        expr: quantile(0.95, hub(`${series.httpServerRequestDuration}_bucket`, routes), labels.httpRoute),
        legend: `{{${labels.httpRoute}}}`,
      },
    ],
  });
}

function process(): BoardSection {
  const perHub = (expr: string) => ({ expr, legend: '{{instance}}' });
  return {
    title: 'The process',
    panels: [
      timeSeriesPanel({
        title: 'Event loop delay, P99',
        description: 'Does the event loop run its callbacks in time?',
        unit: units.seconds,
        size: { width: 8, height: 7 },
        queries: [perHub(`max by (instance) (${hub(series.eventLoopDelayP99)})`)],
        thresholds: limit(thresholds.eventLoopLag),
      }),
      timeSeriesPanel({
        title: 'CPU',
        description: 'How busy is the process? 100 % is one core. JavaScript uses little more than one.',
        unit: units.ratio,
        size: { width: 8, height: 7 },
        queries: [perHub(perSecond(hub(series.cpuTime), 'instance'))],
      }),
      timeSeriesPanel({
        title: 'Memory',
        description: 'Does the memory of the process grow without bound?',
        unit: units.bytes,
        size: { width: 8, height: 7 },
        queries: [perHub(`sum by (instance) (${hub(series.memoryUsage)})`)],
      }),
      timeSeriesPanel({
        title: 'Lag of the audit views',
        description: 'How long has the oldest audit record been waiting that lists and statistics do not show yet?',
        unit: units.seconds,
        size: { width: 12, height: 7 },
        queries: [perHub(`max by (instance) (${hub(series.projectorLag)})`)],
        thresholds: limit(thresholds.projectorLag),
      }),
      timeSeriesPanel({
        title: 'Storage failures',
        description: 'Do reads or writes of the database fail, and why?',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        size: { width: 12, height: 7 },
        queries: [
          {
            expr: overInterval(hub(series.storageFailures), labels.errorType),
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
        query: `${hubLogs} | security_event!="" or monitoring_event!="" or change_event!=""`,
        size: { width: 24 },
      }),
    ],
  };
}
