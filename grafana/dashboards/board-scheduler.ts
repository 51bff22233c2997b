/** The dashboard Scheduler: runs, deletions, and the time since the last success. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { monitoringEventSchema } from '../../src/shapes/event.ts';
import { attributes } from '../../src/telemetry/names.ts';
import { boardUids } from '../board-uid.ts';
import { labels, series } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import { type BoardSection, createBoard, hubLogs, hubSpans } from './board.ts';
import { jobResultPatterns, meaning } from './colour.ts';
import { mustBeZero, steps, units } from './panel.ts';
import { statPanel, timeSeriesPanel } from './panel-chart.ts';
import { attributeColumn, logPanel, tracePanel } from './panel-list.ts';
import { hub, is, overInterval, overRange, quantile } from './promql.ts';

const runs = (...matchers: readonly string[]) => hub(series.schedulerRuns, ...matchers);
const sinceSuccess = `min by (${labels.jobName}) (time() - ${hub(series.schedulerLastSuccessTime)})`;
const sinceCleanup = `min(time() - ${hub(series.schedulerLastSuccessTime, is(labels.jobName, 'cleanup'))})`;
const interval = `max(${hub(series.schedulerInterval)})`;

/** The dashboard Scheduler. */
export function schedulerBoard(): Dashboard {
  return createBoard({
    uid: boardUids.scheduler,
    title: 'Scheduler',
    description: 'Do cleanups and other jobs run on time, what do they delete, and what failed?',
    next: [
      ['Is anything else wrong?', boardUids.overview],
      ['Which skills expired?', boardUids.skillsAndSecurity],
    ],
    sections: [inShort(), work(), evidence()],
  });
}

function inShort(): BoardSection {
  return {
    title: 'In short',
    panels: [
      statPanel({
        title: 'Scheduler',
        description: 'Does the scheduler run on every selected hub?',
        unit: units.count,
        queries: [{ expr: `min(${hub(series.schedulerRunning)})`, legend: 'scheduler' }],
        words: { 0: ['stopped', meaning.bad], 1: ['running', meaning.good] },
      }),
      statPanel({
        title: 'Last cleanup',
        description: 'How long ago did a cleanup last succeed?',
        unit: units.seconds,
        noValue: 'none yet',
        queries: [{ expr: sinceCleanup, legend: 'age' }],
      }),
      statPanel({
        title: 'Intervals missed',
        description: 'How many intervals have passed since a cleanup last succeeded? At two, an alert fires.',
        unit: units.ratio,
        noValue: 'none yet',
        queries: [{ expr: `${sinceCleanup} / ${interval}`, legend: 'intervals' }],
        thresholds: steps(
          meaning.good,
          { from: 1.1, colour: meaning.suspect },
          { from: thresholds.schedulerStalled.above, colour: meaning.bad },
        ),
      }),
      statPanel({
        title: 'Cleanups',
        description:
          'How many cleanups succeeded in the time shown? Other jobs run every few seconds, and are on the charts.',
        unit: units.count,
        decimals: 0,
        queries: [
          { expr: overRange(runs(is(labels.jobName, 'cleanup'), is(labels.jobResult, 'success'))), legend: 'cleanups' },
        ],
      }),
      statPanel({
        title: 'Failed runs',
        description:
          'How many runs of any job failed in the time shown? The next run deletes what a failed part left over.',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(runs(is(labels.jobResult, 'failure'))), legend: 'failed' }],
        thresholds: mustBeZero(),
      }),
      statPanel({
        title: 'Deleted',
        description: 'How many items of all kinds were deleted in the time shown?',
        unit: units.count,
        decimals: 0,
        queries: [{ expr: overRange(hub(series.cleanupDeleted)), legend: 'deleted' }],
      }),
    ],
  };
}

function work(): BoardSection {
  return {
    title: 'Work',
    panels: [
      timeSeriesPanel({
        title: 'Runs by job and result',
        description: 'Do runs succeed, fail, or skip because the previous run is still in progress?',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        many: true,
        queries: [
          {
            expr: `${overInterval(runs(), labels.jobName, labels.jobResult)} > 0`,
            legend: `{{${labels.jobName}}}: {{${labels.jobResult}}}`,
          },
        ],
        noValue: 'no runs',
        colourPatterns: jobResultPatterns,
      }),
      timeSeriesPanel({
        title: 'Deleted by kind',
        description: 'What do cleanups delete: outcomes and audit records past their retention, expired activations?',
        unit: units.count,
        decimals: 0,
        form: 'bars',
        queries: [
          { expr: overInterval(hub(series.cleanupDeleted), labels.cleanupKind), legend: `{{${labels.cleanupKind}}}` },
        ],
      }),
      timeSeriesPanel({
        title: 'Since the last success, by job',
        description: 'Is a job late? A sawtooth of constant height is a job on time.',
        unit: units.seconds,
        noValue: 'no job has succeeded yet',
        many: true,
        queries: [{ expr: sinceSuccess, legend: `{{${labels.jobName}}}` }],
      }),
      timeSeriesPanel({
        title: 'P95 duration of runs, by job',
        description: 'Do runs take longer over time?',
        unit: units.seconds,
        many: true,
        noValue: 'no runs',
        queries: [
          {
            expr: quantile(0.95, hub(`${series.schedulerRunDuration}_bucket`), labels.jobName),
            legend: `{{${labels.jobName}}}`,
          },
        ],
      }),
    ],
  };
}

function evidence(): BoardSection {
  const events = monitoringEventSchema.options.join('|');
  return {
    title: 'Evidence',
    panels: [
      logPanel({
        title: 'Scheduler events',
        description: 'When did the scheduler start and stop, what did each cleanup delete, and what failed?',
        noValue: 'no scheduler event',
        query: `${hubLogs} | monitoring_event=~"${events}"`,
      }),
      tracePanel({
        title: 'Cleanups, newest first',
        description: 'What did a cleanup do, and where did it fail? Click the last cell for its trace.',
        noValue: 'no cleanup has run',
        where: `${hubSpans} && span.${attributes.monitoringEvent} =~ "${monitoringEventSchema.enum.SCHEDULER_CLEANUP_SUCCESS}|${monitoringEventSchema.enum.SCHEDULER_CLEANUP_FAILED}"`,
        columns: [
          attributeColumn(attributes.monitoringEvent, 'event'),
          attributeColumn(attributes.cleanupDeleted, 'deleted', 90),
          attributeColumn(attributes.errorType, 'error'),
        ],
      }),
    ],
  };
}
