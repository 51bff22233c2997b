/** Prometheus names: the rules of the exporter on examples, and the metric shapes compared with those of a real hub. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  labels,
  type MetricKind,
  type MetricShape,
  metricShapes,
  prometheusName,
  series,
} from '../../grafana/prometheus-name.ts';
import { metricNames } from '../../src/telemetry/names.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import { supportServer } from '../support/servers/support-server.ts';

describe('the Prometheus name of a metric', () => {
  const examples: [string, MetricShape, string][] = [
    ['hestia.security.events', { kind: 'counter', unit: '' }, 'hestia_security_events_total'],
    ['mcp.client.operation.duration', { kind: 'histogram', unit: 's' }, 'mcp_client_operation_duration_seconds'],
    ['process.cpu.time', { kind: 'counter', unit: 's' }, 'process_cpu_time_seconds_total'],
    ['process.memory.usage', { kind: 'gauge', unit: 'By' }, 'process_memory_usage_bytes'],
    ['nodejs.eventloop.utilization', { kind: 'gauge', unit: '1' }, 'nodejs_eventloop_utilization_ratio'],
    ['hestia.search.reciprocal_rank', { kind: 'histogram', unit: '1' }, 'hestia_search_reciprocal_rank'],
    ['hestia.telemetry.dropped', { kind: 'counter', unit: '{item}' }, 'hestia_telemetry_dropped_total'],
    ['things.seconds.total', { kind: 'counter', unit: 's' }, 'things_seconds_total'],
  ];
  test.each(examples)('%s with %j is %s', (name, shape, expected) => {
    expect(prometheusName(name, shape)).toBe(expected);
  });

  test('has a label without dots for each attribute', () => {
    expect(labels).toMatchObject({ errorType: 'error_type', securityEvent: 'security_event' });
    expect(labels.genAiToolName).toBe('gen_ai_tool_name');
    expect(Object.values(labels).filter((label) => !/^[a-z_0-9]+$/.test(label))).toEqual([]);
  });

  test('is unique', () => {
    expect(new Set(Object.values(series)).size).toBe(Object.keys(metricNames).length);
  });
});

describe('the table of shapes', () => {
  let observed: ObservedHub;
  beforeAll(async () => {
    observed = await startObservedHub({ faulty: supportServer('faulty-server.ts') });
  });
  afterAll(() => observed[Symbol.asyncDispose]());

  test('agrees with each metric that an idle hub sends', async () => {
    const found = await observed.receiver.waitFor(() => {
      const sent = sentMetrics(observed);
      return sent.some(({ key }) => key === 'schedulerLastSuccessTime') ? sent : undefined;
    });
    expect(found.map(({ key, kind }) => [key, kind])).toEqual(found.map(({ key }) => [key, shapeInTable(key)?.kind]));
    // `{item}` and an empty unit result in the same name, so the names are compared.
    expect(found.map(({ name, kind, unit }) => prometheusName(name, { kind, unit }))).toEqual(
      found.map(({ key }) => Object.entries(series).find(([other]) => other === key)?.[1]),
    );
    expect(found.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['securityEvents', 'serversConnected', 'auditGap']),
    );
  });
});

function sentMetrics({ receiver }: ObservedHub) {
  return Object.entries(metricNames).flatMap(([key, name]) => {
    const [point] = receiver.metricPoints(name);
    return point === undefined ? [] : [{ key, name, kind: kindOf(point), unit: point.unit }];
  });
}

function kindOf({ type, isMonotonic }: { type: MetricKind | 'sum'; isMonotonic?: boolean }): MetricKind {
  if (type !== 'sum') return type;
  return isMonotonic ? 'counter' : 'upDownCounter';
}

function shapeInTable(key: string): MetricShape | undefined {
  return Object.entries(metricShapes).find(([name]) => name === key)?.[1];
}
