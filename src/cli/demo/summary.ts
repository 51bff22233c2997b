/** The summary of a demo run: steps by outcome, events by name, notable traces, dashboards. */
import type { CommandOutput } from '../command-output.ts';
import type { DemoOutcome } from './agent.ts';
import type { DemoStepReport, DemoTrafficResult } from './traffic.ts';

/** The summary of a demo run. */
export interface DemoSummary {
  agents: number;
  tools: number;
  steps: number;
  outcomes: Record<DemoOutcome, number>;
  events: Record<string, number>;
  traces: { why: string; traceId: string }[];
  dashboards: readonly string[];
  interrupted: boolean;
}

/** The boards by their titles in Grafana, in the order to look at them. */
const dashboards = [
  'Overview',
  'Tools',
  'Skills and security',
  'Scheduler',
  'Search and learning',
  'Telemetry pipeline',
];
const tracesMax = 8;

/** Summarizes a run. */
export function demoSummary({ steps, events, agents, tools, interrupted }: DemoTrafficResult): DemoSummary {
  const outcomes: Record<DemoOutcome, number> = { success: 0, error: 0, timeout: 0, abandoned: 0, refused: 0 };
  for (const { outcome } of steps) outcomes[outcome] += 1;
  return { agents, tools, steps: steps.length, outcomes, events, traces: notable(steps), dashboards, interrupted };
}

/** The slowest step, and one of each kind that did not succeed. */
function notable(steps: readonly DemoStepReport[]): DemoSummary['traces'] {
  const slowest = steps.toSorted((left, right) => right.durationMs - left.durationMs)[0];
  const failed = new Map(steps.filter(({ outcome }) => outcome !== 'success').map((report) => [report.step, report]));
  const traces = [
    ...(slowest === undefined ? [] : [{ why: `the slowest: ${slowest.step}`, traceId: slowest.traceId }]),
    ...[...failed.values()].map(({ step, outcome, traceId }) => ({ why: `${step} (${outcome})`, traceId })),
  ];
  return traces.slice(0, tracesMax);
}

/** Renders the summary for a terminal. */
export function summaryLines(summary: DemoSummary, { tone }: CommandOutput): string[] {
  const { agents, tools, steps, outcomes, events, traces } = summary;
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const toolsNote =
    tools === 0 ? ['No connected server has read-only tools, so the agents only searched and used skills.'] : [];
  return [
    tone('strong', `${steps} steps by ${agents} agents with ${tools} tools`),
    `  ${counts.join(' · ')}`,
    ...toolsNote,
    '',
    tone('strong', 'Audit records'),
    ...Object.entries(events).map(([event, count]) => `  ${String(count).padStart(5)} ${event}`),
    '',
    tone('strong', 'Notable traces'),
    ...traces.map(({ why, traceId }) => `  ${traceId}  ${tone('quiet', why)}`),
    '',
    tone('strong', 'Dashboards in Grafana, in the folder Hestia'),
    `  ${dashboards.join(' · ')}`,
  ];
}
