/** Multi-window burn-rate alerts on the objectives for tool calls. */
import { series } from '../prometheus-name.ts';
import {
  type BurnWindow,
  burnWindows,
  callsMin,
  objectives,
  sloWindowSeconds,
  slowCallSeconds,
} from '../thresholds.ts';
import { duration } from './promql.ts';
import { badCalls, badShare, type Indicator } from './recording-rules.ts';
import type { Alert } from './rule.ts';

/** Names and texts of the two objectives. */
const texts = {
  availability: {
    name: 'HestiaToolCallAvailabilityBurn',
    slo: 'tool-call-availability',
    summary: 'Failing tool calls spend the error budget too fast',
    bad: 'failed',
  },
  latency: {
    name: 'HestiaToolCallLatencyBurn',
    slo: 'tool-call-latency',
    summary: 'Slow tool calls spend the error budget too fast',
    bad: `took longer than ${slowCallSeconds} s`,
  },
} as const satisfies Record<Indicator, { name: string; slo: string; summary: string; bad: string }>;

/** The alerts on the objectives: one name for each objective, one rule for each pair of windows. */
export function objectiveAlerts(): Alert[] {
  return burnWindows.flatMap((window) => [burn('availability', window), burn('latency', window)]);
}

function burn(indicator: Indicator, { severity, longSeconds, shortSeconds, factor, forSeconds }: BurnWindow): Alert {
  const { name, slo, summary, bad } = texts[indicator];
  const { objective } = objectives[indicator];
  const limit = `${factor} * (1 - ${objective})`;
  const percent = `${Number((objective * 100).toFixed(3))} %`;
  return {
    name,
    severity,
    expr: [
      `${badShare(indicator, longSeconds)} > ${limit}`,
      `${badShare(indicator, shortSeconds)} > ${limit}`,
      `${badCalls(indicator, longSeconds)} >= ${callsMin.burn}`,
      // The records of a hub that is gone remain in the windows, but nobody can act on it.
      `on (job) group by (job) (${series.uptime})`,
    ].join(' and '),
    forSeconds,
    labels: { slo, long: duration(longSeconds), short: duration(shortSeconds) },
    summary,
    description: `{{ $value | humanizePercentage }} of the tool calls in the last ${duration(longSeconds)} ${bad}. The objective is that ${percent} do not, over ${duration(sloWindowSeconds)}. This is at least ${factor} times the sustainable rate, in the last ${duration(shortSeconds)} too.`,
  };
}
