/** A section of the dashboard Tools: what is slow, and the traces of slow calls. */
import { attributes } from '../../src/telemetry/names.ts';
import { labels, series } from '../prometheus-name.ts';
import type { BoardSection } from './board.ts';
import { units } from './panel.ts';
import { rankingPanel, timeSeriesPanel } from './panel-chart.ts';
import { attributeColumn, rootColumn, tracePanel } from './panel-list.ts';
import { hub, quantileOverRange } from './promql.ts';

/** The calls that the section shows: a condition of TraceQL, and the buckets of their durations. */
export interface SlowCallsOptions {
  spans: string;
  durationBuckets: string;
}

/** The minimum duration of a slow call here, far below the threshold of the alert, to show a slowdown early. */
const slowCall = '500ms';

/** The section: the slowest tools, calls in progress, and the traces of slow calls. */
export function slowCalls({ spans, durationBuckets }: SlowCallsOptions): BoardSection {
  return {
    title: 'What is slow',
    panels: [
      rankingPanel({
        title: 'Slowest tools, P95',
        description: 'Which tools are slowest?',
        unit: units.seconds,
        noValue: 'no traffic yet',
        query: {
          expr: `topk(10, ${quantileOverRange(0.95, durationBuckets, labels.serverId, labels.genAiToolName)})`,
          legend: `{{${labels.genAiToolName}}} ({{${labels.serverId}}})`,
        },
        size: { width: 14, height: 9 },
      }),
      timeSeriesPanel({
        title: 'Calls in progress',
        description:
          'How many calls are in progress at once? A line that only rises is a server that no longer responds.',
        unit: units.count,
        queries: [{ expr: `sum by (instance) (${hub(series.callsRunning)})`, legend: '{{instance}}' }],
        size: { width: 10, height: 9 },
      }),
      tracePanel({
        title: 'Slow calls, newest first',
        description: `Where did the time of calls over ${slowCall} go? Click the last cell for the trace of a call.`,
        noValue: `no call took longer than ${slowCall}`,
        where: `${spans} && span.${attributes.outcome} =~ "$outcome" && duration > ${slowCall}`,
        columns: [
          attributeColumn(attributes.genAiToolName, 'tool'),
          attributeColumn(attributes.serverId, 'server'),
          attributeColumn(attributes.genAiAgentId, 'agent'),
          attributeColumn(attributes.outcome, 'outcome'),
          rootColumn,
        ],
        size: { width: 24 },
      }),
    ],
  };
}
