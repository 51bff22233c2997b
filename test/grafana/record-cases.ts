/** The expected value of each recording rule for one input with calls of every relevant outcome. */
import { growth } from '../../grafana/rules/promql.ts';
import type { RecordCase } from './rule-case.ts';
import { collector, hub } from './rule-case.ts';

const files = 'hestia_server_id="files"';
const read = `${files}, gen_ai_tool_name="read", mcp_method_name="tools/call"`;
const ofCollector = `job="${collector.job}", instance="${collector.instance}"`;

/** Every fifteen seconds: 7 good calls (6 of them fast), 1 timeout, 2 errors of the tool, 3 mistakes of the caller. */
const input = {
  [`hestia_server_calls_total{${files}}`]: '0+7x80',
  [`hestia_server_calls_total{${files}, error_type="timeout"}`]: '0+1x80',
  [`hestia_server_calls_total{${files}, error_type="tool_error"}`]: '0+2x80',
  [`hestia_server_calls_total{${files}, error_type="invalid_arguments"}`]: '0+3x80',
  [`mcp_client_operation_duration_seconds_bucket{${read}, le="2.0"}`]: '0x80',
  [`mcp_client_operation_duration_seconds_bucket{${read}, le="5.0"}`]: '0+6x80',
  [`mcp_client_operation_duration_seconds_bucket{${read}, le="10.0"}`]: '0+7x80',
  [`mcp_client_operation_duration_seconds_bucket{${read}, le="+Inf"}`]: '0+7x80',
  [`mcp_client_operation_duration_seconds_count{${read}}`]: '0+7x80',
  [`up{${ofCollector}}`]: '1x80',
  [`otelcol_exporter_send_failed_spans_total{${ofCollector}, exporter="otlp_http/tempo"}`]: '_x20 4x60',
  [`otelcol_exporter_send_failed_log_records{${ofCollector}, exporter="otlp_http/loki"}`]: '_x20 3x60',
  [`otelcol_receiver_refused_spans_total{${ofCollector}, receiver="otlp"}`]: '0x80',
};

const job = `{job="${hub.job}"}`;
const ofHub = `{job="${hub.job}", instance="${hub.instance}"}`;
const server = `{job="${hub.job}", ${files}}`;

/** A record, rounded to four digits. `labels` are in addition to its name. */
function value(record: string, labels: string, expected: number) {
  return { expr: `round(${record}, 0.0001)`, samples: [{ labels, value: expected }] };
}

const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d', '30d'];

/** Counts lag by half the window of the rate: of 80 timeouts in twenty minutes, the records contain 70.5. */
const values: RecordCase['values'] = [
  value('job_instance:hestia_tool_calls:rate5m', ofHub, 0.6667),
  value('job_instance:hestia_tool_calls_failed:rate5m', ofHub, 0.0667),
  value('job_instance:hestia_tool_calls_succeeded:rate5m', ofHub, 0.4667),
  value('job_instance:hestia_tool_calls_slow:rate5m', ofHub, 0.0667),
  ...windows.map((window) => value(`job:hestia_tool_calls_failed:ratio_rate${window}`, job, 0.1)),
  ...windows.map((window) => value(`job:hestia_tool_calls_slow:ratio_rate${window}`, job, 0.1429)),
  ...['1h', '6h', '1d', '3d'].flatMap((window) => [
    value(`job:hestia_tool_calls_failed:increase${window}`, job, 70.5),
    value(`job:hestia_tool_calls_slow:increase${window}`, job, 70.5),
  ]),
  ...['1h', '6h', '30d'].flatMap((window) => [
    value(`job_instance:hestia_tool_calls:increase${window}`, ofHub, 705),
    value(`job_instance:hestia_tool_calls_failed:increase${window}`, ofHub, 70.5),
    value(`job_instance:hestia_tool_calls_succeeded:increase${window}`, ofHub, 493.5),
    value(`job_instance:hestia_tool_calls_slow:increase${window}`, ofHub, 70.5),
  ]),
  value('job:hestia_tool_calls_failed:budget_remaining30d', job, -19),
  value('job:hestia_tool_calls_slow:budget_remaining30d', job, -13.2857),
  value('job_server:hestia_server_calls:rate10m', server, 0.6667),
  value('job_server:hestia_server_calls_refused:ratio_rate10m', server, 0.2),
  value('job_server:mcp_client_operation_duration_seconds:p95_10m', server, 8.25),
  {
    expr: 'instance_failure:otelcol_items:sum',
    samples: [
      { labels: `instance_failure:otelcol_items:sum{${ofCollector}, failure="not sent"}`, value: 7 },
      { labels: `instance_failure:otelcol_items:sum{${ofCollector}, failure="not queued"}`, value: 0 },
      { labels: `instance_failure:otelcol_items:sum{${ofCollector}, failure="refused"}`, value: 0 },
    ],
  },
];

/** The case. */
export const recordCase: RecordCase = { input, at: '20m', values };

const outcomes = (name: string) => `hestia_tool_outcomes_total{hestia_outcome="${name}"}`;
const born = (name: string, count: number) => ({ labels: `{hestia_outcome="${name}"}`, value: count });

/**
 * How much counters grew in a minute, with samples every fifteen seconds. The minute begins between the last sample of a
 * hub and the first one after its restart, where `increase` finds nothing, and a difference is negative.
 */
export const growthCase: RecordCase = {
  input: {
    [outcomes('steady')]: '0+1x40',
    [outcomes('born')]: '_x17 4x20',
    [outcomes('restarted')]: '100x16 3x20',
    process_uptime_seconds: '0+15x16 1+15x20',
  },
  at: '307s',
  values: [
    {
      expr: `sum by (hestia_outcome) (${growth('hestia_tool_outcomes_total', { text: '1m', seconds: '60' })})`,
      samples: [born('steady', 4), born('born', 4), born('restarted', 3)],
    },
  ],
};
