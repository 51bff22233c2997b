/** What callers, skills and upstreams say stays out of telemetry; where an operator asks for it, secrets still do. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { metricNames } from '../../src/telemetry/names.ts';
import { skillText } from '../support/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub-observed.ts';
import { supportServer } from '../support/upstream-support.ts';

// One for each place, so that a leak names its place. The last two are what the server under test says in its errors.
const canaries = {
  argument: 'canary-argument-5f2d9c',
  argumentName: 'canary-argument-name-5f2d9c',
  result: 'canary-result-5f2d9c',
  header: 'canary-header-5f2d9c',
  baggage: 'canary-baggage-5f2d9c',
  query: 'canary-query-5f2d9c',
  search: 'canary-search-5f2d9c',
  instructions: 'canary-instructions-5f2d9c',
  credential: 'canary-credential-5f2d9c',
  errorMessage: 'secret-token-1',
  errorData: 'secret-token-2',
};
const tellsItsEnvironment = { ...supportServer('faulty-server.ts'), env: { SECRET: canaries.result } };

/** Puts each canary in its place, over both doors. Nothing here is refused but the wrong key and the two errors. */
async function placeCanaries({ hub }: ObservedHub): Promise<void> {
  const args = { text: canaries.argument, [canaries.argumentName]: true };
  const headers = { 'x-own': canaries.header, cookie: canaries.header, baggage: `own=${canaries.baggage}` };
  const call = (tool: string) =>
    hub.fetch(`/v1/tools/faulty/${tool}/call?token=${canaries.query}`, { json: { arguments: args }, headers });
  expect(await (await call('environment')).text()).toContain(canaries.result);
  expect((await call('rpc_error')).status).toBe(502);
  expect((await call('bad_shape')).status).toBe(502);
  await hub.fetch('/v1/tools/search', { json: { query: canaries.search } });
  await hub.fetch('/v1/skills', { headers: { authorization: `Bearer ${canaries.credential}` } });
  await hub.fetch('/v1/skills/hidden', {
    method: 'PUT',
    body: skillText('hidden', 'Hides.', canaries.instructions),
    headers: { 'content-type': 'text/markdown' },
  });
  await hub.fetch('/v1/skills/hidden/activate', { method: 'POST' });
  const answer = await hub.fetch('/v1/tools/hestia/skill_hidden/call', {
    json: { arguments: { arguments: canaries.argument } },
  });
  expect(await answer.text()).toContain(canaries.instructions);
  await callOverMcp(hub.url, hub.key(), args);
}

async function callOverMcp(url: string, key: string, args: Record<string, unknown>): Promise<void> {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  const call = (tool: string) =>
    client.callTool({
      name: 'call_mcp_tool',
      arguments: { server_id: 'faulty', tool_name: tool, arguments: args },
      _meta: { baggage: `own=${canaries.baggage}` },
    });
  expect(JSON.stringify(await call('environment'))).toContain(canaries.result);
  await expect(call('rpc_error')).rejects.toThrow('the server answered with an error');
  await client.close();
}

const asText = (value: unknown) =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));

describe('what was said in arguments, results, headers, queries, skills and errors', () => {
  test('is on no span, metric, log record, log line or audit record', async () => {
    await using observed = await startObservedHub({ faulty: tellsItsEnvironment });
    const { hub, receiver } = observed;
    await placeCanaries(observed);
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
    const secrets = Object.entries({ ...canaries, key: hub.key() });
    for (const [place, content] of Object.entries(places)) {
      const text = asText(content);
      expect(text.length, place).toBeGreaterThan(1000);
      expect(
        secrets.filter(([, secret]) => text.includes(secret)).map(([name]) => name),
        place,
      ).toEqual([]);
    }
  });
});

describe('with HESTIA_CAPTURE_CONTENT=on, over http/json', () => {
  test('arguments and results are on the span, secrets among them redacted', async () => {
    await using observed = await startObservedHub(
      { faulty: tellsItsEnvironment },
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

describe('what an upstream server prints', () => {
  test('is in our log and is not exported', async () => {
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
