/** The files that the parts of the monitoring stack start with: checked by their own tools, or for the keys that matter. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { describeWith } from '../support/programs/requirements.ts';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const read = (name: string): unknown => parse(readFileSync(path(name), 'utf8'), { merge: true });

describeWith('promtool', 'grafana/prometheus.yaml', () => {
  test('is what Prometheus takes, with its rules and targets', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', path('grafana/prometheus.yaml')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describeWith('amtool', 'grafana/alertmanager.yaml', () => {
  test('is what Alertmanager takes', () => {
    const { status, stdout } = spawnSync('amtool', ['check-config', path('grafana/alertmanager.yaml')], {
      encoding: 'utf8',
    });
    expect(stdout).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

/** Hours of a duration such as `336h`. */
const hours = z
  .string()
  .regex(/^\d+h$/)
  .transform((text) => Number.parseInt(text, 10));

/** How long an outage of Tempo or Loki may be without loss. Records must be newer than half of a chunk's age. */
const outageHours = 12;
const retentionHours = 14 * 24;

describe('grafana/tempo.yaml', () => {
  const tempo = z
    .object({
      distributor: z.looseObject({ max_attribute_bytes: z.int() }),
      storage: z.object({ trace: z.object({ wal: z.strictObject({ path: z.string() }), backend: z.string() }) }),
      live_store: z.object({ wal: z.object({ ingestion_time_range_slack: hours }) }),
      query_frontend: z.object({ search: z.object({ max_duration: hours }) }),
      overrides: z.object({
        defaults: z.object({
          ingestion: z.object({ max_traces_per_user: z.int() }),
          compaction: z.object({ block_retention: hours }),
        }),
      }),
    })
    .parse(read('grafana/tempo.yaml'));

  test('gives late spans the time they were made, by the key that Tempo 3 reads, so that a search finds them', () => {
    expect(tempo.live_store.wal.ingestion_time_range_slack).toBeGreaterThanOrEqual(outageHours);
  });

  test('discards no trace because many arrive at once, as they do after an outage', () => {
    expect(tempo.overrides.defaults.ingestion.max_traces_per_user).toBe(0);
  });

  test('lets a search cover all that is kept', () => {
    expect(tempo.overrides.defaults.compaction.block_retention).toBe(retentionHours);
    expect(tempo.query_frontend.search.max_duration).toBe(retentionHours);
  });
});

describe('grafana/loki.yaml', () => {
  const loki = z
    .object({
      ingester: z.object({ max_chunk_age: hours }),
      limits_config: z.looseObject({
        retention_period: hours,
        reject_old_samples_max_age: hours,
        max_line_size_truncate: z.literal(true),
        otlp_config: z.object({
          resource_attributes: z.object({
            attributes_config: z.array(z.object({ action: z.string(), attributes: z.array(z.string()) })),
          }),
        }),
      }),
    })
    .parse(read('grafana/loki.yaml'));

  test('takes the records of an outage of twelve hours, and whatever is not older than the retention', () => {
    expect(loki.ingester.max_chunk_age / 2).toBeGreaterThanOrEqual(outageHours);
    expect(loki.limits_config.retention_period).toBe(retentionHours);
    expect(loki.limits_config.reject_old_samples_max_age).toBe(retentionHours);
  });

  test('gives each hub a stream, so that one that is late does not depend on the others', () => {
    const [labels] = loki.limits_config.otlp_config.resource_attributes.attributes_config;
    expect(labels?.action).toBe('index_label');
    expect(labels?.attributes).toEqual(expect.arrayContaining(['service.name', 'service.instance.id']));
  });
});

describe('otel-collector.yaml', () => {
  const exporterSchema = z.looseObject({
    retry_on_failure: z.looseObject({ max_elapsed_time: z.number() }),
    sending_queue: z.looseObject({ storage: z.string(), sizer: z.string() }),
  });
  const { exporters, service } = z
    .looseObject({
      exporters: z.record(z.string(), z.unknown()),
      service: z.looseObject({
        pipelines: z.record(z.string(), z.looseObject({ processors: z.union([z.string(), z.array(z.string())]) })),
      }),
    })
    .parse(read('otel-collector.yaml'));

  test.each(['otlp_http/tempo', 'otlp_http/loki'])('retries %s without a time limit, from a queue on disk', (name) => {
    const { retry_on_failure, sending_queue } = exporterSchema.parse(exporters[name]);
    expect(retry_on_failure.max_elapsed_time).toBe(0);
    expect(sending_queue).toMatchObject({ storage: 'file_storage/queue', sizer: 'bytes' });
  });

  test('holds no trace in memory unless it is told to sample', () => {
    expect(service.pipelines['traces/kept']?.processors).toBe('${env:COLLECTOR_TRACE_PROCESSORS:-[]}');
  });
});
