/** Cases of the alerts on the objectives: failing and slow calls that spend the error budget. */
import { type AlertCase, hub, type Input } from './rule-case.ts';
import { calls, durations } from './tool-alert-cases.ts';

const availability = 'HestiaToolCallAvailabilityBurn';
const latency = 'HestiaToolCallLatencyBurn';

/** Cases of an objective for one pair of windows, with recorded series as input. */
function burn(alert: string, windows: { long: string; short: string; factor: number; severity: string; at: string }) {
  const { long, short, factor, severity, at } = windows;
  const isAvailability = alert === availability;
  const metric = isAvailability ? 'hestia_tool_calls_failed' : 'hestia_tool_calls_slow';
  const budget = isAvailability ? 0.005 : 0.01;
  const input = (share: number, count: number): Input => ({
    process_uptime_seconds: '0+900x20',
    [`job:${metric}:ratio_rate${long}{job="${hub.job}"}`]: `${share}x20`,
    [`job:${metric}:ratio_rate${short}{job="${hub.job}"}`]: `${share}x20`,
    [`job:${metric}:increase${long}{job="${hub.job}"}`]: `${count}x20`,
  });
  const labels = {
    severity,
    job: hub.job,
    slo: isAvailability ? 'tool-call-availability' : 'tool-call-latency',
    long,
    short,
  };
  const share = factor * budget * 1.1;
  const bad = isAvailability ? 'failed' : 'took longer than 5 s';
  const description = `${Number((share * 100).toPrecision(4))}% of the tool calls in the last ${long} ${bad}. The objective is that ${isAvailability ? '99.5' : '99'} % do not, over 30d. This is at least ${factor} times the sustainable rate, in the last ${short} too.`;
  const every = '15m';
  return [
    {
      alert,
      when: `the burn rate of ${long} is above its limit`,
      input: input(share, 10),
      at,
      fires: [{ labels, description }],
      every,
    },
    {
      alert,
      when: `the burn rate of ${long} is just below its limit`,
      input: input(factor * budget * 0.99, 1000),
      at,
      fires: [],
      every,
    },
    {
      alert,
      when: `the burn rate of ${long} is above its limit, with few calls`,
      input: input(1, 9),
      at,
      fires: [],
      every,
    },
    {
      alert,
      when: `the burn rate of ${long} is above its limit, of a hub that is gone`,
      input: { ...input(share, 10), process_uptime_seconds: '0 stale' },
      at,
      fires: [],
      every,
    },
  ] satisfies AlertCase[];
}

/** A hub that has run for a day. */
const uptime = { process_uptime_seconds: '86400+15x60' };

const pairs = [
  { long: '1h', short: '5m', factor: 14.4, severity: 'critical', at: '1h' },
  { long: '6h', short: '30m', factor: 6, severity: 'critical', at: '1h' },
  { long: '1d', short: '2h', factor: 3, severity: 'warning', at: '2h' },
  { long: '3d', short: '6h', factor: 1, severity: 'warning', at: '4h' },
];

/** The cases of alerts on the objectives: each pair of windows from its records, and the fastest from calls. */
export const objectiveAlertCases: readonly AlertCase[] = [
  ...pairs.flatMap((pair) => [...burn(availability, pair), ...burn(latency, pair)]),
  {
    alert: availability,
    when: 'one call in ten times out',
    input: { ...uptime, ...calls({ '': '0+9x60', timeout: '0+1x60' }) },
    every: '15s',
    at: '10m',
    fires: [
      {
        labels: { severity: 'critical', job: hub.job, slo: 'tool-call-availability', long: '1h', short: '5m' },
        description:
          '10% of the tool calls in the last 1h failed. The objective is that 99.5 % do not, over 30d. This is at least 14.4 times the sustainable rate, in the last 5m too.',
      },
    ],
  },
  {
    alert: availability,
    when: 'callers make every kind of mistake, and tools report errors',
    input: {
      ...uptime,
      ...calls({
        '': '0+1x60',
        invalid_arguments: '0+9x60',
        cancelled: '0+9x60',
        tool_error: '0+9x60',
        response_too_large: '0+1x60',
      }),
    },
    every: '15s',
    at: '10m',
    fires: [],
  },
  {
    alert: latency,
    when: 'one call in five takes longer than five seconds',
    input: { ...uptime, ...durations('0+10x60', '0+8x60') },
    every: '15s',
    at: '10m',
    fires: [
      {
        labels: { severity: 'critical', job: hub.job, slo: 'tool-call-latency', long: '1h', short: '5m' },
        description:
          '20% of the tool calls in the last 1h took longer than 5 s. The objective is that 99 % do not, over 30d. This is at least 14.4 times the sustainable rate, in the last 5m too.',
      },
    ],
  },
];
