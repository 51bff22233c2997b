/** The dashboard Tools: calls by outcome, duration, server and tool, and failed calls. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { type Outcome, outcomeSchema, toolOutcomeMessage } from '../../src/shapes/event.ts';
import { attributes } from '../../src/telemetry/names.ts';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { selector } from '../rules/promql.ts';
import { serverRecords } from '../rules/recording-rules.ts';
import { thresholds } from '../thresholds.ts';
import { type BoardSection, createBoard, hubLogs, hubSpans } from './board.ts';
import { meaning, outcomeColours, percentileColours } from './colour.ts';
import { boardLink, limit, steps, units } from './panel.ts';
import { heatmapPanel, percentileLines, statPanel, timeSeriesPanel } from './panel-chart.ts';
import { attributeColumn, logPanel, tablePanel, tracePanel } from './panel-list.ts';
import {
  hub,
  is,
  isNot,
  matches,
  ofDeployment,
  overInterval,
  overRange,
  perSecond,
  quantileOverRange,
  shareOf,
} from './promql.ts';
import { slowCalls } from './section-slow-calls.ts';
import { callDurations } from './span-metrics.ts';
import { outcomeVariable, serverVariable, toolVariable } from './variable.ts';

const ofServer = matches(labels.serverId, '$server');
const chosen = [ofServer, matches(labels.genAiToolName, '$tool')];
const outcomes = (...more: readonly string[]) => hub(series.toolOutcomes, ...chosen, ...more);
const withOutcome = (outcome: Outcome) => outcomes(is(labels.outcome, outcome));
const durationBuckets = hub(`${series.mcpClientOperationDuration}_bucket`, ...chosen);
const failedCalls = hub(`${series.mcpClientOperationDuration}_count`, ...chosen, isNot(labels.errorType, ''));
const chosenSpans = `${hubSpans} && span.${attributes.serverId} =~ "$server" && span.${attributes.genAiToolName} =~ "$tool"`;

/** The dashboard Tools. */
export function toolsBoard(): Dashboard {
  return createBoard({
    uid: boardUids.tools,
    title: 'Tools',
    description: 'Which tools are called, which of them fail or are slow, and why?',
    next: [
      ['Is anything else wrong?', boardUids.overview],
      ['Do agents find these tools?', boardUids.searchAndLearning],
      ['Was a caller refused?', boardUids.skillsAndSecurity],
    ],
    variables: [serverVariable(), toolVariable(), outcomeVariable()],
    sections: [
      inShort(),
      failures(),
      callsAndErrors(),
      durations(),
      byServer(),
      slowCalls({ spans: chosenSpans, durationBuckets }),
    ],
  });
}

function inShort(): BoardSection {
  return {
    title: 'In short',
    panels: [
      statPanel({
        title: 'Calls',
        description: 'How many calls finished in the time shown? Every outcome counts.',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(outcomes()), legend: 'calls' }],
      }),
      statPanel({
        title: 'Success',
        description: 'Which share of the calls in the time shown succeeded? Mistakes of callers count as errors here.',
        unit: units.ratio,
        min: 0,
        max: 1,
        noValue: 'no traffic yet',
        queries: [{ expr: shareOf(overRange(withOutcome('success')), overRange(outcomes())), legend: 'success' }],
        thresholds: steps(meaning.bad, { from: 0.9, colour: meaning.suspect }, { from: 0.99, colour: meaning.good }),
      }),
      ...(['error', 'timeout', 'abandoned'] as const).map((outcome) =>
        statPanel({
          title: outcomeTitles[outcome],
          description: outcomeQuestions[outcome],
          unit: units.count,
          decimals: 0,
          queries: [{ expr: overRange(withOutcome(outcome)), legend: outcome }],
          thresholds: steps(meaning.good, { from: 0.5, colour: outcomeColours[outcome] }),
        }),
      ),
      statPanel({
        title: 'P95 duration',
        description: 'How long did the slowest 5 % of the calls to upstream servers take at least?',
        unit: units.seconds,
        noValue: 'no traffic yet',
        queries: [{ expr: quantileOverRange(0.95, durationBuckets), legend: 'p95' }],
        thresholds: limit(thresholds.toolCallsSlow),
      }),
    ],
  };
}

const outcomeTitles = { error: 'Errors', timeout: 'Timeouts', abandoned: 'Abandoned' } as const;
const outcomeQuestions = {
  error: 'How many calls failed, because of the tool, its server or the arguments?',
  timeout: 'How many calls did the hub cancel because their deadline passed?',
  abandoned: 'How many calls were cancelled, or lost their caller?',
} as const;

function callsAndErrors(): BoardSection {
  return {
    title: 'Calls and errors',
    panels: [
      timeSeriesPanel({
        title: 'Calls by outcome',
        description: 'How many calls finish per second, and with which outcome?',
        unit: units.callsPerSecond,
        form: 'stacked',
        queries: [{ expr: perSecond(outcomes(), labels.outcome), legend: `{{${labels.outcome}}}` }],
        colours: outcomeColours,
      }),
      timeSeriesPanel({
        title: 'Errors by type',
        description:
          'Why do calls to upstream servers fail? `tool_error` is reported by the tool, `invalid_arguments` is a mistake of the caller, the others are between hub and server.',
        unit: units.callsPerSecond,
        form: 'stacked',
        noValue: 'no call has failed',
        queries: [{ expr: perSecond(failedCalls, labels.errorType), legend: `{{${labels.errorType}}}` }],
      }),
    ],
  };
}

function durations(): BoardSection {
  return {
    title: 'Duration',
    panels: [
      heatmapPanel({
        title: 'Duration of calls, each dot a trace',
        description:
          'Are all calls a little slow, or a few very slow? A dot is a call with its trace: click it to see where the time went.',
        unit: units.seconds,
        query: overInterval(callDurations(chosen), 'le'),
        exemplars: true,
      }),
      timeSeriesPanel({
        title: 'Duration, percentiles',
        description: 'How long do calls to upstream servers take at the 50th, 95th and 99th percentile?',
        unit: units.seconds,
        queries: percentileLines(durationBuckets),
        colours: percentileColours,
      }),
    ],
  };
}

/** Counts by outcome, without zeros: a cell without failures is empty. The first column has all failures. */
function outcomeColumns(by: readonly string[]) {
  const positive = (expr: string) => `${expr} > 0`;
  const failed = outcomes(isNot(labels.outcome, 'success'));
  return [
    { title: 'failed', expr: positive(overRange(failed, ...by)), unit: units.count, colour: meaning.bad, width: 80 },
    ...outcomeSchema.options.map((outcome) => ({
      title: outcome,
      expr: positive(overRange(withOutcome(outcome), ...by)),
      unit: units.count,
      colour: outcomeColours[outcome],
      width: 95,
    })),
  ];
}

const server = { title: 'server' };
const onlyServer = boardLink('Only this server', boardUids.tools, { server: '${__data.fields.server:percentencode}' });
const onlyTool = boardLink('Only this tool', boardUids.tools, {
  server: '${__data.fields.server:percentencode}',
  tool: '${__data.fields.tool:percentencode}',
});

/** The failing calls first: the link of an alert leads here, and a call of the table to its trace and its log lines. */
function failures(): BoardSection {
  const callColumns = [
    attributeColumn(attributes.genAiToolName, 'tool'),
    attributeColumn(attributes.serverId, 'server'),
    attributeColumn(attributes.genAiAgentId, 'agent'),
    attributeColumn(attributes.errorType, 'error'),
  ];
  return {
    title: 'What fails',
    panels: [
      tracePanel({
        title: 'Failing calls, newest first',
        description:
          'Which calls failed, of which agent, and why? Click the last cell for the trace of a call, and there “Logs for this span” for its log lines.',
        noValue: 'no call has failed',
        where: `${chosenSpans} && span.${attributes.outcome} =~ "$outcome" && status = error`,
        columns: callColumns,
        size: { width: 24, height: 10 },
      }),
      tablePanel({
        title: 'Outcomes by tool',
        description: 'Which tool fails, and how often? Click a tool to see it alone.',
        noValue: 'no traffic yet',
        rows: {
          [labels.genAiToolName]: { title: 'tool', link: onlyTool },
          [labels.serverId]: { ...server, link: onlyServer },
        },
        columns: outcomeColumns([labels.serverId, labels.genAiToolName]),
        sortBy: 'failed',
        size: { width: 24, height: 10 },
      }),
      logPanel({
        title: 'Calls that did not succeed, log',
        description: 'Who called which tool, and what happened? Open a line for its fields and the link to its trace.',
        noValue: 'no call has failed',
        query: `${hubLogs} | event="${toolOutcomeMessage}" | outcome!="success" | outcome=~"$outcome" | server_id=~"$server" | tool_name=~"$tool"`,
        size: { width: 24, height: 9 },
      }),
    ],
  };
}

function byServer(): BoardSection {
  return {
    title: 'By server',
    panels: [
      tablePanel({
        title: 'Outcomes by server',
        description: 'Does one server cause most failures? Click a server to see it alone.',
        noValue: 'no traffic yet',
        rows: { [labels.serverId]: { ...server, link: onlyServer } },
        columns: outcomeColumns([labels.serverId]),
        sortBy: 'failed',
        size: { width: 14 },
      }),
      statPanel({
        title: 'Servers',
        description: 'Is each upstream server connected now? A disconnected server accepts no calls.',
        unit: units.count,
        size: { width: 10, height: 9 },
        noValue: 'no server is configured',
        queries: [
          {
            expr: `min by (${labels.serverId}) (${hub(series.serversConnected, ofServer)})`,
            legend: `{{${labels.serverId}}}`,
          },
        ],
        words: { 0: ['not connected', meaning.bad], 1: ['connected', meaning.good] },
      }),
      timeSeriesPanel({
        title: 'Share of calls that a server failed',
        description:
          'Which server fails calls? Mistakes of callers and timeouts are not counted. An alert fires above the dashed line.',
        unit: units.ratio,
        max: 1,
        noValue: 'no traffic yet',
        queries: [
          { expr: selector(serverRecords.errorShare, ofDeployment, ofServer), legend: `{{${labels.serverId}}}` },
        ],
        thresholds: limit(thresholds.toolErrors),
      }),
      timeSeriesPanel({
        title: 'P95 duration by server',
        description: 'Which server is slow? An alert fires above the dashed line.',
        unit: units.seconds,
        noValue: 'no traffic yet',
        queries: [
          { expr: selector(serverRecords.durationP95, ofDeployment, ofServer), legend: `{{${labels.serverId}}}` },
        ],
        thresholds: limit(thresholds.toolCallsSlow),
      }),
    ],
  };
}
