/** Cases of the alerts on tool calls: inputs for which they fire, and near misses. */
import type { AlertCase, Input } from './rule-case.ts';
import { hub } from './rule-case.ts';

const warning = { severity: 'warning' };
const onFiles = { job: hub.job, hestia_server_id: 'files' };

/** Calls to the server `files` by error type; '' is success. */
export function calls(endings: Record<string, string>): Input {
  const entries = Object.entries(endings).map(([type, values]) => {
    const error = type === '' ? '' : `, error_type="${type}"`;
    return [`hestia_server_calls_total{hestia_server_id="files"${error}}`, values];
  });
  return Object.fromEntries(entries);
}

/** Durations of successful calls to `files`: all of them, and those that took at most five seconds. */
export function durations(all: string, fast: string): Input {
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
    when: 'as many as the series was born with in the quarter of an hour before',
    input: { ...calls({ cancelled: '_x10 11x9 22x20' }), process_uptime_seconds: '60+60x60' },
    at: '30m',
    fires: [],
  },
  {
    alert: abandoned,
    when: 'ten after a quiet quarter of an hour',
    input: calls({ cancelled: '0x20 10x20' }),
    at: '30m',
    fires: [],
  },
];
