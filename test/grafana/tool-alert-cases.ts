/** Cases of the alerts on tool calls and objectives: inputs for which they fire, and near misses. */
import type { AlertCase, Input } from './rule-case.ts';
import { hub } from './rule-case.ts';

const warning = { severity: 'warning' };
const onFiles = { job: hub.job, hestia_server_id: 'files' };

/** Calls to the server `files` by error type; '' is success. */
function calls(endings: Record<string, string>): Input {
  const entries = Object.entries(endings).map(([type, values]) => {
    const error = type === '' ? '' : `, error_type="${type}"`;
    return [`hestia_server_calls_total{hestia_server_id="files"${error}}`, values];
  });
  return Object.fromEntries(entries);
}

/** Durations of successful calls to `files`: all of them, and those that took at most five seconds. */
function durations(all: string, fast: string): Input {
  const labels = 'hestia_server_id="files", gen_ai_tool_name="read", mcp_method_name="tools/call"';
  return {
    [`mcp_client_operation_duration_seconds_bucket{${labels}, le="5.0"}`]: fast,
    [`mcp_client_operation_duration_seconds_bucket{${labels}, le="10.0"}`]: all,
    [`mcp_client_operation_duration_seconds_bucket{${labels}, le="+Inf"}`]: all,
    [`mcp_client_operation_duration_seconds_count{${labels}}`]: all,
  };
}

const disconnected = 'HestiaServerDisconnected';
const errors = 'HestiaToolErrors';
const timeouts = 'HestiaToolTimeouts';
const slow = 'HestiaToolCallsSlow';
const abandoned = 'HestiaToolCallsAbandoned';

/** The cases of alerts on tool calls. */
export const toolAlertCases: readonly AlertCase[] = [
  {
    alert: disconnected,
    when: 'a configured server has been disconnected for five minutes',
    input: {
      'hestia_servers_connected{hestia_server_id="files"}': '0x10',
      'hestia_servers_wanted{hestia_server_id="files"}': '1x10',
    },
    at: '6m',
    fires: [
      {
        labels: { ...warning, ...hub, hestia_server_id: 'files' },
        description: 'Server files has not been connected to the hub hub-1 for 5m; its tools cannot be called.',
      },
    ],
  },
  {
    alert: disconnected,
    when: 'it was connected in between',
    input: {
      'hestia_servers_connected{hestia_server_id="files"}': '0 0 0 1 0 0 0',
      'hestia_servers_wanted{hestia_server_id="files"}': '1x10',
    },
    at: '6m',
    fires: [],
  },
  {
    alert: disconnected,
    when: 'an operator disconnected it',
    input: {
      'hestia_servers_connected{hestia_server_id="files"}': '0x10',
      'hestia_servers_wanted{hestia_server_id="files"}': '0x10',
    },
    at: '9m',
    fires: [],
  },
  {
    alert: errors,
    when: 'three calls in ten fail',
    input: calls({ '': '0+7x30', tool_error: '0+2x30', connection_lost: '0+1x30' }),
    at: '20m',
    fires: [
      {
        labels: { ...warning, ...onFiles },
        description:
          '30% of the calls to server files failed in the last 10m, not counting mistakes of callers and timeouts (threshold 20%).',
      },
    ],
  },
  {
    alert: errors,
    when: 'just under one in five',
    input: calls({ '': '0+17x30', tool_error: '0+4x30' }),
    at: '20m',
    fires: [],
  },
  {
    alert: errors,
    when: 'callers send invalid arguments, and cancel',
    input: calls({ '': '0+5x30', invalid_arguments: '0+5x30', cancelled: '0+5x30' }),
    at: '20m',
    fires: [],
  },
  {
    alert: errors,
    when: 'all calls fail, but there are few',
    input: calls({ '': '0x30', tool_error: '0 0 0 0 0 0 0 0 0 0 0+1x9 9x20' }),
    at: '20m',
    fires: [],
  },
  {
    alert: timeouts,
    when: 'eleven in an hour, on two servers',
    input: {
      ...calls({ timeout: '0x5 7x60' }),
      'hestia_server_calls_total{hestia_server_id="web", error_type="timeout"}': '0x5 4x60',
    },
    at: '40m',
    fires: [
      {
        labels: { ...warning, job: hub.job },
        description: '11 calls timed out in the last 1h (threshold 10), most of them on server files.',
      },
    ],
  },
  {
    alert: timeouts,
    when: 'the timeouts happened before the first scrape of a young hub',
    input: { ...calls({ timeout: '11x10' }), process_uptime_seconds: '60+60x10' },
    at: '2m',
    fires: [
      {
        labels: { ...warning, job: hub.job },
        description: '11 calls timed out in the last 1h (threshold 10), most of them on server files.',
      },
    ],
  },
  { alert: timeouts, when: 'ten in an hour', input: calls({ timeout: '0x5 10x60' }), at: '40m', fires: [] },
  {
    alert: timeouts,
    when: 'an old hub had many, long ago',
    input: { ...calls({ timeout: '400x60' }), process_uptime_seconds: '9000+60x60' },
    at: '40m',
    fires: [],
  },
  {
    alert: slow,
    when: 'every call takes five to ten seconds',
    input: { ...calls({ '': '0+3x30' }), ...durations('0+3x30', '0x30') },
    at: '20m',
    fires: [
      {
        labels: { ...warning, ...onFiles },
        description: 'One call in twenty to server files took longer than 9.75s in the last 10m (threshold 5s).',
      },
    ],
  },
  {
    alert: slow,
    when: 'just over nineteen in twenty are fast',
    input: { ...calls({ '': '0+30x30' }), ...durations('0+30x30', '0+29x30') },
    at: '20m',
    fires: [],
  },
  {
    alert: slow,
    when: 'there are few slow calls',
    input: { ...calls({ '': '0+1x30' }), ...durations('0+1x30', '0x30') },
    at: '20m',
    fires: [],
  },
  {
    alert: abandoned,
    when: 'fifteen after a quiet quarter of an hour',
    input: calls({ cancelled: '0x20 15x20' }),
    at: '30m',
    fires: [
      {
        labels: { ...warning, ...onFiles },
        description:
          'Callers abandoned 15 calls to server files in the last 15m, more than 2 times as many as in the 15m before (threshold 10).',
      },
    ],
  },
  { alert: abandoned, when: 'a constant rate', input: calls({ cancelled: '0+1x60' }), at: '40m', fires: [] },
  {
    alert: abandoned,
    when: 'ten after a quiet quarter of an hour',
    input: calls({ cancelled: '0x20 10x20' }),
    at: '30m',
    fires: [],
  },
];

const availability = 'HestiaToolCallAvailabilityBurn';
const latency = 'HestiaToolCallLatencyBurn';

/** Cases of an objective for one pair of windows, with recorded series as input. */
function burn(alert: string, windows: { long: string; short: string; factor: number; severity: string; at: string }) {
  const { long, short, factor, severity, at } = windows;
  const isAvailability = alert === availability;
  const metric = isAvailability ? 'hestia_tool_calls_failed' : 'hestia_tool_calls_slow';
  const budget = isAvailability ? 0.005 : 0.01;
  const input = (share: number, count: number): Input => ({
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
  ] satisfies AlertCase[];
}

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
    input: calls({ '': '0+9x60', timeout: '0+1x60' }),
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
    input: calls({
      '': '0+1x60',
      invalid_arguments: '0+9x60',
      cancelled: '0+9x60',
      tool_error: '0+9x60',
      response_too_large: '0+1x60',
    }),
    every: '15s',
    at: '10m',
    fires: [],
  },
  {
    alert: latency,
    when: 'one call in five takes longer than five seconds',
    input: durations('0+10x60', '0+8x60'),
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
