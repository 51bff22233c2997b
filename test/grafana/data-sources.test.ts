/** The data sources of Grafana: fixed uids, and links between them that lead to existing data. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseLogql } from '../support/queries/logql.ts';
import { parsePromql, selectors } from '../support/queries/promql.ts';

const read = (path: string) => parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), { merge: true });

const tagsSchema = z.array(z.object({ key: z.string(), value: z.string() }));
const sourceSchema = z.looseObject({
  name: z.string(),
  type: z.string(),
  uid: z.string(),
  url: z.url(),
  jsonData: z.looseObject({
    exemplarTraceIdDestinations: z.array(z.object({ name: z.string(), datasourceUid: z.string() })).default([]),
    derivedFields: z.array(z.looseObject({ matcherRegex: z.string(), datasourceUid: z.string() })).default([]),
    tracesToLogsV2: z.looseObject({ datasourceUid: z.string(), tags: tagsSchema, query: z.string() }).optional(),
    tracesToMetrics: z
      .looseObject({
        datasourceUid: z.string(),
        tags: tagsSchema,
        queries: z.array(z.object({ name: z.string(), query: z.string() })),
      })
      .optional(),
  }),
});
const { datasources } = z
  .looseObject({ datasources: z.array(sourceSchema) })
  .parse(read('grafana/provisioning/datasources/hestia.yaml'));
const source = (uid: string) => {
  const found = datasources.find((candidate) => candidate.uid === uid);
  if (found === undefined) throw new Error(`there is no data source ${uid}`);
  return found;
};

/** Fills in a query for a span as Grafana does: `$$` of the file, then tags and ids of the span. */
function filledIn(query: string, tags: z.infer<typeof tagsSchema>): string {
  const labels = tags.map(({ value }) => `${value}="x"`).join(', ');
  return query
    .replaceAll('$$', '$')
    .replaceAll('${__tags}', labels)
    .replaceAll('$__tags', labels)
    .replaceAll('${__trace.traceId}', 'f'.repeat(32));
}

describe('the data sources', () => {
  test('have fixed and unique uids', () => {
    expect(datasources.map(({ uid, type }) => [uid, type])).toEqual([
      ['prometheus', 'prometheus'],
      ['tempo', 'tempo'],
      ['loki', 'loki'],
      ['alertmanager', 'alertmanager'],
    ]);
  });

  test('have URLs of services in docker-compose.yml', () => {
    const services = Object.keys(read('docker-compose.yml').services);
    for (const { url } of datasources) expect(services).toContain(new URL(url).hostname);
  });
});

describe('the links between data sources', () => {
  test('lead from an exemplar and from a log line to a trace, by the label of both', () => {
    expect(source('prometheus').jsonData.exemplarTraceIdDestinations).toMatchObject([
      { name: 'trace_id', datasourceUid: 'tempo' },
    ]);
    expect(source('loki').jsonData.derivedFields).toMatchObject([{ matcherRegex: 'trace_id', datasourceUid: 'tempo' }]);
  });

  test('lead from a span to its log lines, by a query that Loki understands', () => {
    const logs = source('tempo').jsonData.tracesToLogsV2;
    expect(logs?.datasourceUid).toBe('loki');
    const query = filledIn(logs?.query ?? '', logs?.tags ?? []);
    expect(query).toBe(`{service_name="x"} | trace_id = "${'f'.repeat(32)}"`);
    expect(parseLogql(query)).toMatchObject({ streamLabels: ['service_name'], fields: ['trace_id'] });
  });

  test('lead from a span to metrics, by queries that Prometheus understands', () => {
    const metrics = source('tempo').jsonData.tracesToMetrics;
    expect(metrics?.datasourceUid).toBe('prometheus');
    expect(metrics?.queries).not.toEqual([]);
    for (const { query } of metrics?.queries ?? []) {
      const filled = filledIn(query, metrics?.tags ?? []);
      expect(filled).not.toContain('$');
      for (const { metric } of selectors(parsePromql(filled))) {
        expect(metric).toMatch(/^traces_span_metrics_(calls_total|duration_seconds_bucket)$/);
      }
    }
  });
});
