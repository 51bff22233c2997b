/** Secrets in the collector: the hub sends none, and those of other senders are masked. */
import { expect, test, vi } from 'vitest';
import { asText, canaryNames, canaryServer, placeCanaries } from '../support/canary.ts';
import { startWatchedHub } from '../support/hub/hub-watched.ts';
import { startCollector } from '../support/programs/collector.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { sendLogRecord, sendSpans } from '../support/telemetry/otlp-send.ts';

const poll = { timeout: 15_000, interval: 100 };

describeWith(['otelcol', 'prometheus'], 'content that a hub receives', () => {
  test('reaches neither Tempo nor Loki nor Prometheus, and no log', { timeout: 60_000 }, async () => {
    await using watched = await startWatchedHub({ faulty: canaryServer });
    const { hub, collector, prometheus } = watched;
    await placeCanaries(hub);
    const { receiver } = collector;
    await receiver.waitFor(() => receiver.spans().filter((span) => span.name === 'tools/call rpc_error').length === 2);
    await receiver.waitFor(() =>
      receiver.logRecords().some(({ attributes }) => attributes.tool_name === 'skill_hidden'),
    );
    await vi.waitFor(async () => {
      const failures = 'hestia_tool_outcomes_total{gen_ai_tool_name="rpc_error", hestia_outcome="error"} == 2';
      expect(await prometheus.query(failures)).toHaveLength(1);
    }, poll);
    const places = {
      Tempo: receiver.spans(),
      Loki: receiver.logRecords(),
      scrape: await collector.hubMetrics(),
      Prometheus: [await prometheus.api('series?match[]={__name__!=""}'), await prometheus.exemplars('{__name__!=""}')],
      'log of the hub': [hub.logLines(), hub.stdout()],
      'log of the collector': collector.output(),
    };
    for (const [place, content] of Object.entries(places)) {
      expect(asText(content).length, place).toBeGreaterThan(500);
      expect(canaryNames(content, hub), place).toEqual([]);
    }
  });
});

describeWith('otelcol', 'secrets in the signals of another sender', () => {
  const secrets = {
    authorization: 'canary-by-name',
    'db.password': 'canary-by-name',
    'http.request.header.cookie': 'canary-by-name',
    note: 'sent with Bearer canary-by-value',
    key: 'hst_canary-by-value-0123456789',
    arguments: '{"city":"Chicago","api_key":"canary-by-member","nested":{"password": "canary-by-member"}}',
  };
  const kept = { city: 'Chicago', 'gen_ai.usage.output_tokens': '12' };

  test('are masked on spans and log records; other content is unchanged', async () => {
    await using collector = await startCollector();
    const { receiver } = collector;
    await sendSpans(collector.otlpUrl, [{ name: 'careless', attributes: { ...secrets, ...kept } }]);
    await sendLogRecord(collector.otlpUrl, {
      body: 'called with Bearer canary-by-value',
      attributes: { ...secrets, ...kept },
    });
    const [span, record] = [
      await receiver.waitFor(() => receiver.spans()[0]),
      await receiver.waitFor(() => receiver.logRecords()[0]),
    ];
    for (const { attributes } of [span, record]) {
      expect(attributes).toMatchObject({ ...kept, authorization: '****', note: 'sent with ****' });
      expect(attributes.arguments).toContain('"city":"Chicago"');
    }
    expect(record.body).toBe('called with ****');
    expect(asText([span, record])).not.toContain('canary');
  });
});
