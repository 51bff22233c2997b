/** Content of callers, skills and upstreams is not in telemetry. If an operator enables it, secrets are still redacted. */
import { describe, expect, test } from 'vitest';
import { metricNames } from '../../src/telemetry/names.ts';
import { asText, canaries, canaryNames, canaryServer, placeCanaries } from '../support/canary.ts';
import { startObservedHub } from '../support/hub/hub-observed.ts';
import { supportServer } from '../support/servers/support-server.ts';

describe('content of arguments, results, headers, queries, skills and errors', () => {
  test('is on no span, metric, log record, log line or audit record', async () => {
    await using observed = await startObservedHub({ faulty: canaryServer });
    const { hub, receiver } = observed;
    await placeCanaries(observed.hub);
    const trail = await (await hub.fetch('/v1/audit/export')).text();
    hub.child.kill('SIGTERM');
    expect(await hub.exited).toBe(0);
    const places = {
      spans: receiver.spans(),
      metrics: Object.values(metricNames).map((name) => receiver.metricPoints(name)),
      logRecords: receiver.logRecords(),
      logLines: hub.logLines(),
      trail,
      stdout: hub.stdout(),
    };
    expect(receiver.spans().filter((span) => span.name === 'tools/call rpc_error')).toHaveLength(2);
    for (const [place, content] of Object.entries(places)) {
      expect(asText(content).length, place).toBeGreaterThan(1000);
      expect(canaryNames(content, hub), place).toEqual([]);
    }
  });
});

describe('with HESTIA_CAPTURE_CONTENT=on, over http/json', () => {
  test('arguments and results are on the span, with secrets redacted', async () => {
    await using observed = await startObservedHub(
      { faulty: canaryServer },
      { environment: { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', HESTIA_CAPTURE_CONTENT: 'on' } },
    );
    const { argument } = canaries;
    await observed.hub.fetch('/v1/tools/faulty/pid/call', {
      json: {
        arguments: { city: 'Chicago', password: argument, nested: { api_key: argument }, note: `Bearer ${argument}` },
      },
    });
    const { attributes } = await observed.span('tools/call pid');
    expect(attributes['gen_ai.tool.call.arguments']).toBe(
      '{"city":"Chicago","password":"[redacted]","nested":{"api_key":"[redacted]"},"note":"[redacted]"}',
    );
    expect(attributes['gen_ai.tool.call.result']).toMatch(/"text":"\d+".*"isError":false/);
    await observed.receiver.waitFor(() => observed.total('hestia.tool.outcomes', { 'gen_ai.tool.name': 'pid' }) === 1);
    const others = asText([observed.receiver.logRecords(), observed.hub.logLines()]);
    expect(others).not.toContain('Chicago');
    const types = observed.receiver.requests().map((request) => request.contentType);
    expect(new Set(types)).toEqual(new Set(['application/json']));
  });
});

describe('standard error of an upstream server', () => {
  test('is in the log of the hub and is not exported', async () => {
    await using observed = await startObservedHub({ faulty: supportServer('faulty-server.ts') });
    const { hub, receiver, total } = observed;
    await hub.fetch('/v1/tools/faulty/flood_stderr/call', { json: { arguments: { lines: 1 } } });
    await expect.poll(() => hub.logLines().some((line) => String(line.line).startsWith('line 0'))).toBe(true);
    await hub.fetch('/v1/tools/faulty/pid/call', { json: {} });
    await receiver.waitFor(() => total(metricNames.toolOutcomes, { 'gen_ai.tool.name': 'pid' }) === 1);
    await receiver.waitFor(() => receiver.logRecords().some((record) => record.attributes.tool_name === 'pid'));
    expect(JSON.stringify(receiver.logRecords().map((record) => record.attributes))).not.toContain('line 0');
  });
});
