/** The committed rules in a real Prometheus, fed by a real hub through the real collector: they run, find their series, and are quiet. */
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { startWatchedHub, type WatchedHub } from '../support/hub/hub-watched.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { supportServer } from '../support/servers/support-server.ts';
import { allAlerts, allRecords } from './rule-case.ts';

/** Series that a healthy stack without Chroma does not have; all others must be there. */
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

/** Every series that the rules ask for, with its matchers and without a range. */
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

/** The objectives are recorded four times a minute, whatever the pace of the rest. */
const poll = { timeout: 50_000, interval: 250 };
const slow = { timeout: 60_000 };

describeWith(['otelcol', 'prometheus'], 'the rules over a hub that is used', () => {
  let watched: WatchedHub;
  beforeAll(async () => {
    watched = await startWatchedHub({
      faulty: supportServer('faulty-server.ts'),
      schemas: supportServer('schema-server.ts'),
    });
    expect((await watched.hub.fetch('/v1/scheduler/run', { method: 'POST' })).status).toBe(200);
  }, 60_000);
  afterAll(() => watched?.[Symbol.asyncDispose]());

  const call = () => watched.hub.fetch('/v1/tools/faulty/pid/call', { json: {} });

  test('are evaluated without an error, each of them', slow, async () => {
    await vi.waitFor(async () => {
      const rules = await rulesOf(watched);
      expect(rules).toHaveLength(allAlerts.length + allRecords.length);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    }, poll);
  });

  test('find each series they ask for, in its spelling', slow, async () => {
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

  test('record a value each', slow, async () => {
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

  test('wake nobody for a hub that works, nor for what its callers get wrong', slow, async () => {
    for (let count = 0; count < 30; count += 1) {
      expect((await call()).status).toBe(200);
      const wrong = { json: { arguments: { pair: ['one'] } } };
      expect((await watched.hub.fetch('/v1/tools/schemas/no_dialect/call', wrong)).status).toBe(422);
    }
    await vi.waitFor(async () => {
      const [seen] = await watched.prometheus.query('sum(hestia_server_calls_total{error_type="invalid_arguments"})');
      expect(seen?.value).toBe(30);
    }, poll);
    // Rules that were evaluated from now on have seen it too.
    const now = Date.now();
    await vi.waitFor(async () => {
      const rules = await rulesOf(watched);
      expect(Math.min(...rules.map(({ lastEvaluation }) => Date.parse(lastEvaluation)))).toBeGreaterThan(now);
    }, poll);
    expect(await watched.prometheus.alerts()).toEqual([]);
  });
});
