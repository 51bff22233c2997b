/** The collector of docker compose with a real hub, a real Prometheus, and a receiver for Tempo and Loki. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWatchedHub, type WatchedHub } from '../support/hub/hub-watched.ts';
import { collectorConfiguration } from '../support/programs/collector.ts';
import { collectorProgram } from '../support/programs/collector-program.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { supportServer } from '../support/servers/support-server.ts';

describeWith('otelcol', 'otel-collector.yaml', () => {
  test('is valid without any environment variables', () => {
    const validate = ['validate', '--config', collectorConfiguration];
    const { status, stderr } = spawnSync(collectorProgram(), validate, { env: {}, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

const outcomes = 'hestia_tool_outcomes_total{gen_ai_tool_name="pid", hestia_outcome="success"}';
const poll = { timeout: 60_000, interval: 100 };

describeWith(['otelcol', 'prometheus'], 'a hub that sends to the collector', () => {
  let watched: WatchedHub;
  beforeAll(async () => {
    watched = await startWatchedHub(
      { faulty: supportServer('faulty-server.ts') },
      { collectorEnvironment: { COLLECTOR_METRIC_EXPIRATION: '3s' } },
    );
  });
  afterAll(() => watched?.[Symbol.asyncDispose]());

  const call = (tool: string) => watched.hub.fetch(`/v1/tools/faulty/${tool}/call`, { json: {} });

  test('has its counters in Prometheus, with its job and instance', async () => {
    await call('pid');
    await vi.waitFor(async () => {
      expect(await watched.prometheus.query(outcomes)).toEqual([
        {
          labels: {
            __name__: 'hestia_tool_outcomes_total',
            job: 'hestia/hestia',
            instance: expect.any(String),
            hestia_server_id: 'faulty',
            gen_ai_tool_name: 'pid',
            hestia_outcome: 'success',
          },
          value: 1,
        },
      ]);
    }, poll);
    const [up] = await watched.prometheus.query('target_info{job="hestia/hestia", service_version!=""}');
    expect(up).toMatchObject({ value: 1 });
  });

  test('has its traces and log records in Tempo and Loki, with one trace id', async () => {
    const { receiver } = watched.collector;
    await call('rpc_error');
    const span = await receiver.waitFor(() => receiver.spans().find(({ name }) => name === 'tools/call rpc_error'));
    const record = await receiver.waitFor(() =>
      receiver
        .logRecords()
        .find(({ traceId, attributes }) => traceId === span.traceId && attributes.event === 'Tool outcome recorded'),
    );
    expect(record.spanId).toBe(span.spanId);
  });

  test('has exemplars on the durations of its spans, which lead to stored traces', async () => {
    const { receiver } = watched.collector;
    const exemplar = await vi.waitFor(async () => {
      await call('pid');
      const series = 'traces_span_metrics_duration_seconds_bucket{job="hestia/hestia", span_name="tools/call pid"}';
      const [found] = await watched.prometheus.exemplars(series);
      if (found === undefined) throw new Error('there is no exemplar yet');
      return found;
    }, poll);
    expect(exemplar).toMatchObject({ trace_id: expect.any(String), span_id: expect.any(String) });
    await receiver.waitFor(() => receiver.spans().some(({ traceId }) => traceId === exemplar.trace_id));
  });

  test('disappears from Prometheus after it is killed', async () => {
    watched.hub.child.kill('SIGKILL');
    await vi.waitFor(async () => expect(await watched.prometheus.query('hestia_audit_gap')).toEqual([]), poll);
    expect(await watched.prometheus.query('up == 0')).toEqual([]);
  });
});
