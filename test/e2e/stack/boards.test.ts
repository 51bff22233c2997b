/**
 * After a demo, every query of every board returns data: PromQL in a real Prometheus, LogQL and TraceQL in what the real
 * collector sends to Loki and Tempo. The test causes the failures that some panels show.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { alertRules } from '../../../grafana/rules/alert-rules.ts';
import { recordingRules } from '../../../grafana/rules/recording-rules.ts';
import { skillToolName } from '../../../src/shapes/skill.ts';
import { startWatchedHub, type WatchedHub } from '../../support/hub/hub-watched.ts';
import { type Chroma, startChroma } from '../../support/programs/chroma.ts';
import { runCommand } from '../../support/programs/command-run.ts';
import type { Sample } from '../../support/programs/prometheus.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { boardQueries, filledIn, readBoards } from '../../support/queries/board.ts';
import { documentQueries } from '../../support/queries/document-queries.ts';
import { parseLogql } from '../../support/queries/logql.ts';
import { recordFields, recordsFound } from '../../support/queries/logql-search.ts';
import { parsePromql, selectors } from '../../support/queries/promql.ts';
import { parseTraceql } from '../../support/queries/traceql.ts';
import { spanAttributes, spansFound } from '../../support/queries/traceql-search.ts';
import { realServer } from '../../support/servers/real-server.ts';

const onBoards = boardQueries(readBoards()).map((query) => ({ ...query, place: `${query.board}: ${query.panel}` }));
const inWalk = documentQueries('docs/alert-to-cause.md').map((query) => ({ ...query, kind: '', filled: query.text }));
const queries = [...onBoards, ...inWalk];
const poll = { timeout: 60_000, interval: 500 };

/** Series that the collector creates at the first failure. */
const failureSeries = /otelcol_exporter_(send|enqueue)_failed/;

const docs = new URL('../../../docs', import.meta.url).pathname;
const servers = {
  everything: realServer('everything', ['stdio']),
  files: realServer('filesystem', [docs]),
};
/** Small enough that a few hundred spans fill it, and larger than the batches of otel-collector.yaml. */
const queueBytes = 140_000;
const setupMs = 300_000;

describeWith(['otelcol', 'prometheus', 'chroma'], 'after a demo', () => {
  let chroma: Chroma;
  let watched: WatchedHub;
  beforeAll(async () => {
    chroma = await startChroma();
    watched = await startWatchedHub(servers, {
      environment: { HESTIA_CHROMA_URL: chroma.url },
      collectorEnvironment: { COLLECTOR_QUEUE_BYTES: `${queueBytes}` },
    });
    await demo('30');
    await causeRefusals();
    await activateTakenSkill();
  }, setupMs);
  afterAll(async () => {
    await watched?.[Symbol.asyncDispose]();
    await chroma?.[Symbol.asyncDispose]();
  });

  async function demo(seconds: string): Promise<void> {
    const { url } = watched.hub;
    const ended = await runCommand(['demo', '--url', url, '--key', watched.hub.key(), '--duration', seconds]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  }

  /** More often than the threshold of the alert, so that the table of alerts has a row. */
  async function causeRefusals(): Promise<void> {
    const created = await watched.hub.fetch('/v1/keys', {
      json: { agentId: 'curious', namespace: 'default', role: 'agent' },
    });
    const { key } = z.object({ key: z.string() }).parse(await created.json());
    for (let times = 0; times < 25; times += 1) {
      const headers = { authorization: `Bearer ${key}` };
      const { status } = await watched.hub.fetch('/v1/scheduler/run', { method: 'POST', headers });
      expect(status).toBe(403);
    }
  }

  /** Activates a skill whose tool name is taken by another skill. */
  async function activateTakenSkill(): Promise<void> {
    const { hub } = watched;
    const holder = 'not.specified';
    const taken = skillToolName(holder).replace('skill_', '').replaceAll('_', '-');
    for (const name of [holder, taken]) {
      const body = `---\nname: ${name}\ndescription: Its tool may have no name left.\n---\n\nDo well.\n`;
      await hub.fetch(`/v1/skills/${name}`, { method: 'PUT', headers: { 'content-type': 'text/markdown' }, body });
      const activated = await hub.fetch(`/v1/skills/${name}/activate`, { json: {} });
      expect(activated.ok).toBe(true);
    }
  }

  async function expectData(expr: string): Promise<void> {
    await vi.waitFor(async () => {
      const samples = await watched.prometheus.query(expr);
      expect(samples.filter(isNumber), expr).not.toEqual([]);
    }, poll);
  }

  const found = queries.filter(({ store }) => store === 'prometheus');
  const withoutFailures = found.filter(({ filled }) => !failureSeries.test(filled));
  test.each(withoutFailures)(
    '$place has data: $filled',
    async ({ filled, kind }) => {
      // Annotations mark moments, which may have passed.
      await expectData(kind === 'annotation' ? `count_over_time((${filled})[10m:1s])` : filled);
    },
    setupMs,
  );

  const recorded = recordingRules({ timeScale: 1 }).flatMap(({ rules }) => rules);
  test.each(recorded)(
    'the rule $record $labels has data',
    async ({ record, labels = {} }) => {
      const matchers = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      await expectData(`${record}{${matchers.join(', ')}}`);
    },
    setupMs,
  );

  const alerts = alertRules({ timeScale: 1 }).flatMap(({ rules }) => rules);
  test.each(alerts)(
    'the alert $alert queries series that exist: $expr',
    async ({ expr }) => {
      const names = new Set(selectors(parsePromql(expr)).map(({ metric }) => metric));
      for (const name of names) {
        if (name !== '') await expectData(name);
      }
    },
    setupMs,
  );

  const logql = queries.filter(({ store }) => store === 'loki');
  test.each(logql)('$place finds log records in Loki: $filled', async ({ filled }) => {
    const { receiver } = watched.collector;
    const query = parseLogql(filled);
    await receiver.waitFor(() => recordsFound(query, receiver.logRecords()).length > 0);
    const known = new Set(receiver.logRecords().flatMap(recordFields));
    expect(query.fields.filter((field) => !known.has(field))).toEqual([]);
  });

  const traceql = queries.filter(({ store }) => store === 'tempo');
  test.each(traceql)('$place finds spans in Tempo: $filled', async ({ filled }) => {
    const { receiver } = watched.collector;
    const query = parseTraceql(filled);
    await receiver.waitFor(() => spansFound(query, receiver.spans()).length > 0);
    const known = new Set(receiver.spans().flatMap(spanAttributes));
    expect(query.attributes.filter((name) => !known.has(name))).toEqual([]);
  });

  test('the exemplars of the heatmap lead to traces in Tempo', async () => {
    const [heatmap] = queries.filter(({ kind, text }) => kind === 'heatmap' && text.includes('traces_span_metrics'));
    const traceIds = await vi.waitFor(async () => {
      const exemplars = await watched.prometheus.exemplars(filledIn(heatmap?.text ?? ''));
      expect(exemplars.length).toBeGreaterThan(0);
      return exemplars.map(({ trace_id: traceId }) => traceId);
    }, poll);
    const { receiver } = watched.collector;
    const isKept = (id: string | undefined) => receiver.spans().some(({ traceId }) => traceId === id);
    await receiver.waitFor(() => traceIds.every(isKept));
  });

  const withFailures = found.filter(({ filled }) => failureSeries.test(filled));
  test(
    'the failure series of the collector have data once Tempo and Loki have refused and a queue was full',
    async () => {
      const { receiver } = watched.collector;
      receiver.mode = 'refuse503';
      await vi.waitFor(async () => {
        await demo('2');
        expect(await watched.prometheus.query('otelcol_exporter_enqueue_failed_spans_total > 0')).not.toEqual([]);
        expect(await watched.prometheus.query('otelcol_exporter_enqueue_failed_log_records_total > 0')).not.toEqual([]);
      }, setupMs);
      receiver.mode = 'reject400';
      expect(withFailures.length).toBeGreaterThan(0);
      for (const { filled } of withFailures) await expectData(filled);
    },
    setupMs,
  );
});

function isNumber({ value }: Sample): boolean {
  return !Number.isNaN(value);
}
