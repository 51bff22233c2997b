/** The committed rules in a real Prometheus with a real hub and collector: they evaluate, find their series, and do not fire. */
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startWatchedHub, type WatchedHub } from '../support/hub/hub-watched.ts';
import { activeAlerts, unexplainedAlerts } from '../support/programs/fired-alerts.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { supportServer } from '../support/servers/support-server.ts';
import { allAlerts, allRecords } from './rule-case.ts';

/** Series that a healthy stack without Chroma does not have. All others must exist. */
const absentWhereHealthy = /hestia_chroma_|otel_metric_overflow|otelcol_exporter_(send|enqueue)_failed/;

const answerSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          name: z.string(),
          health: z.string(),
          lastError: z.string().default(''),
          lastEvaluation: z.string(),
        }),
      ),
    }),
  ),
});

/** The rules as Prometheus runs them. */
async function rulesOf({ prometheus }: WatchedHub) {
  return answerSchema.parse(await prometheus.api('rules')).groups.flatMap(({ rules }) => rules);
}

/** Every series that the rules query, with its matchers and without a range. */
function selectors(): string[] {
  const found = [...allAlerts, ...allRecords].flatMap(({ expr }) => {
    const texts: string[] = [];
    parser.parse(expr).iterate({
      enter: ({ name, from, to }) => void (name === 'VectorSelector' && texts.push(expr.slice(from, to))),
    });
    return texts;
  });
  return [...new Set(found)];
}

/** The recording rules of the objectives run every 15 s, even if other intervals are shorter. */
const poll = { timeout: 100_000, interval: 250 };
const slow = { timeout: 240_000 };

describeWith(['otelcol', 'prometheus'], 'the rules with a hub in use', () => {
  let watched: WatchedHub;
  beforeAll(async () => {
    watched = await startWatchedHub({
      faulty: supportServer('faulty-server.ts'),
      schemas: supportServer('schema-server.ts', 'honest-names'),
    });
    expect((await watched.hub.fetch('/v1/scheduler/run', { method: 'POST' })).status).toBe(200);
  });
  afterAll(() => watched?.[Symbol.asyncDispose]());

  const call = () => watched.hub.fetch('/v1/tools/faulty/pid/call', { json: {} });

  test('are all evaluated without an error', slow, async () => {
    await vi.waitFor(async () => {
      const rules = await rulesOf(watched);
      expect(rules).toHaveLength(allAlerts.length + allRecords.length);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    }, poll);
  });

  test('find each series that they query', slow, async () => {
    await vi.waitFor(async () => {
      await call();
      const missing: string[] = [];
      for (const selector of selectors()) {
        if (absentWhereHealthy.test(selector)) continue;
        const [sample] = await watched.prometheus.query(selector);
        if (sample === undefined) missing.push(selector);
      }
      expect(missing).toEqual([]);
    }, poll);
  });

  test('each record a value', slow, async () => {
    await vi.waitFor(async () => {
      await call();
      const empty: string[] = [];
      for (const { record } of allRecords) {
        const [sample] = await watched.prometheus.query(record);
        if (sample === undefined || !Number.isFinite(sample.value)) empty.push(record);
      }
      expect(empty).toEqual([]);
    }, poll);
  });

  test('do not fire for a working hub, nor for mistakes of its callers', slow, async () => {
    for (let count = 0; count < 30; count += 1) {
      expect((await call()).status).toBe(200);
      const wrong = { json: { arguments: { pair: [{}] } } };
      expect((await watched.hub.fetch('/v1/tools/schemas/no_dialect/call', wrong)).status).toBe(422);
    }
    await vi.waitFor(async () => {
      const [seen] = await watched.prometheus.query('sum(hestia_server_calls_total{error_type="invalid_arguments"})');
      expect(seen?.value).toBe(30);
    }, poll);
    // A rule that is evaluated from now on has the call in its input.
    const now = Date.now();
    await vi.waitFor(async () => {
      const rules = await rulesOf(watched);
      expect(Math.min(...rules.map(({ lastEvaluation }) => Date.parse(lastEvaluation)))).toBeGreaterThan(now);
    }, poll);
    const { prometheus } = watched;
    expect(await unexplainedAlerts(prometheus, await activeAlerts(prometheus, { pending: true }))).toEqual([]);
  });
});
