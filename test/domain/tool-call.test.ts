/** Tool calls through a running hub to servers that misbehave. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type TestKey } from '../support/hub/hub.ts';
import {
  clientKinds,
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../support/hub/hub-listening.ts';
import { refuseRecords } from '../support/journal-fault.ts';
import { startFaultyHttpServer } from '../support/servers/faulty-http-server.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({
    file: {
      mcpServers: {
        faulty: supportServer('faulty-server.ts'),
        dying: supportServer('faulty-server.ts'),
        schemas: supportServer('schema-server.ts'),
      },
      // The library reads a line of a stdio server in quadratic time.
      limits: { responseBytesMax: 1_048_576, callTimeoutMs: 15_000, callTimeoutMsMax: 15_000, reconnectDelayMs: 20 },
    },
  });
  await untilConnected(hub, 'faulty', 'dying', 'schemas');
});
afterAll(() => hub[Symbol.asyncDispose]());

function call(
  toolName: string,
  body: object = {},
  { server = 'faulty', key = hub.operator }: { server?: string; key?: TestKey } = {},
): Promise<Response> {
  return key.fetch(`/v1/tools/${server}/${toolName}/call`, { json: body });
}

function callOverMcp(toolName: string, more: object): Promise<Response> {
  const headers = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };
  const params = { name: 'call_mcp_tool', arguments: { server_id: 'faulty', tool_name: toolName }, ...more };
  return hub.operator.fetch('/mcp', { json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers });
}

// biome-ignore lint/suspicious/noExplicitAny: what a record holds is what the test finds out
async function lastOutcome(): Promise<Record<string, any>> {
  const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'));
  return items.at(-1).fields;
}

describe('a call that succeeds', () => {
  test('is recorded before its response, with latency, agent and search', async () => {
    const agent = await hub.key('billing-bot');
    const { searchId } = await json(agent.fetch('/v1/tools/search', { json: { query: 'pid' } }));
    const answer = await json(call('pid', { searchId }, { key: agent }));
    const fields = await lastOutcome();
    expect(answer).toMatchObject({ outcome: 'success', result: { isError: false } });
    expect(fields).toEqual({
      tool_name: 'pid',
      server_id: 'faulty',
      outcome: 'success',
      latency_ms: answer.latencyMs,
      agent_id: 'billing-bot',
      namespace: 'default',
      call_id: answer.callId,
      search_id: searchId,
      credited_search_id: searchId,
    });
  });

  test('returns the result of the upstream unchanged, with unknown fields', async () => {
    const { result } = await json(call('exotic'));
    expect(result.structuredContent).toEqual({ a: [1, { b: null }], ü: 'ü' });
    expect(result.content[0]).toMatchObject({
      type: 'text',
      annotations: { audience: ['user'] },
      _meta: { block: true },
    });
    expect(result.content[1]).toMatchObject({ type: 'resource_link', size: 3 });
  });
});

describe('integers that a number cannot hold', () => {
  const structure = '{"id":12345678901234567890,"deep":[{"id":-9007199254740993}],"safe":9007199254740991,"float":1.5}';

  test.each([
    ['over HTTP', () => call('long_integers')],
    ['over MCP', () => callOverMcp('long_integers', {})],
    ['over MCP through the SDK', () => callOverMcp('long_integers', { _meta: { progressToken: 1 } })],
  ])('keep their digits in the structured content of a result %s', async (_where, called) => {
    expect(await (await called()).text()).toContain(`"structuredContent":${structure}`);
    expect(await lastOutcome()).toMatchObject({ tool_name: 'long_integers', outcome: 'success' });
  });

  const long = '{"id":12345678901234567890,"deep":[-9007199254740993],"safe":7}';
  const post = (path: string, body: string, more: Record<string, string> = {}) =>
    hub.operator.fetch(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...more } });
  const overMcp = (args: string, more = '') =>
    post(
      '/mcp',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_mcp_tool","arguments":{"server_id":"faulty","tool_name":"last_line","arguments":${args}}${more}}}`,
      { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
    );

  test.each([
    ['over HTTP', () => post('/v1/tools/faulty/last_line/call', `{"arguments":${long}}`)],
    ['over MCP', () => overMcp(long)],
    ['over MCP as JSON text', () => overMcp(JSON.stringify(long))],
    ['over MCP through the SDK', () => overMcp(long, ',"_meta":{"progressToken":1}')],
  ])('keep their digits in arguments %s', async (_where, called) => {
    expect(await (await called()).text()).toContain(JSON.stringify(`"arguments":${long}`).slice(1, -1));
  });

  test('are numbers for the schema of the tool', async () => {
    const response = await post('/v1/tools/schemas/same_id_a/call', '{"arguments":{"x":12345678901234567890}}');
    const { result } = await json(response);
    expect([response.status, result.meta['hestia/arguments']]).toEqual([200, undefined]);
  });
});

describe('a call that fails', () => {
  test.each([
    ['the upstream responds with an error', 'rpc_error', 502, 'UPSTREAM_FAILED', 'upstream_error'],
    ['the upstream response is not a result', 'bad_shape', 502, 'UPSTREAM_FAILED', 'invalid_response'],
    ['the response exceeds the limit', 'huge', 502, 'RESPONSE_TOO_LARGE', 'response_too_large'],
  ])(
    'because %s is recorded as an error, without upstream text, and the next call succeeds',
    async (_why, tool, status, code, errorType) => {
      const response = await call(tool);
      const { content, ...problem } = await json(response);
      expect([response.status, problem.code]).toEqual([status, code]);
      expect(JSON.stringify(problem)).not.toContain('secret-token');
      expect(await lastOutcome()).toMatchObject({ tool_name: tool, outcome: 'error', error_type: errorType });
      expect(JSON.stringify(hub.logLines())).not.toContain('secret-token');
      expect((await call('pid')).status).toBe(200);
    },
  );

  test('because the upstream exits is connection_lost, and the upstream is restarted', async () => {
    const response = await call('die', {}, { server: 'dying' });
    expect([response.status, (await json(response)).code]).toEqual([502, 'UPSTREAM_FAILED']);
    expect(await lastOutcome()).toMatchObject({ server_id: 'dying', outcome: 'error', error_type: 'connection_lost' });
    await untilConnected(hub, 'dying');
    expect((await call('pid', {}, { server: 'dying' })).status).toBe(200);
  });

  test('because its deadline has passed is a timeout, and the upstream receives a cancellation', async () => {
    const before = JSON.parse((await json(call('cancelled'))).result.content[0].text).length;
    const response = await call('hang', { timeoutMs: 150 });
    expect([response.status, (await json(response)).code]).toEqual([504, 'TIMEOUT']);
    const fields = await lastOutcome();
    expect(fields).toMatchObject({ tool_name: 'hang', outcome: 'timeout', error_type: 'timeout' });
    expect(fields.latency_ms).toBeGreaterThanOrEqual(149);
    await expect
      .poll(async () => JSON.parse((await json(call('cancelled'))).result.content[0].text).length)
      .toBe(before + 1);
  });

  test('because the caller disconnected is abandoned, and the upstream receives a cancellation', async () => {
    const before = JSON.parse((await json(call('cancelled'))).result.content[0].text).length;
    const controller = new AbortController();
    const request = fetch(`${hub.url}/v1/tools/faulty/hang/call`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: `Bearer ${hub.operator.secret}`, 'content-type': 'application/json' },
      signal: controller.signal,
    });
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    await expect.poll(async () => (await client.call('get_mcp_hub_status')).structuredContent.calls_running).toBe(1);
    controller.abort();
    await expect(request).rejects.toThrow();
    await expect.poll(lastOutcome).toMatchObject({ tool_name: 'hang', outcome: 'abandoned', error_type: 'cancelled' });
    await expect
      .poll(async () => JSON.parse((await json(call('cancelled'))).result.content[0].text).length)
      .toBe(before + 1);
  });

  test('because the result is an error is a tool_error, and the result is returned', async () => {
    const answer = await json(call('fails', {}, { server: 'schemas' }));
    expect(answer).toMatchObject({
      outcome: 'error',
      result: { isError: true, content: [{ type: 'text', text: 'no such invoice' }] },
    });
    expect(await lastOutcome()).toMatchObject({ outcome: 'error', error_type: 'tool_error' });
  });
});

describe('the outcome of a call', () => {
  test.each([
    ['pid', 'success', undefined],
    ['exotic', 'success', undefined],
    ['nulls', 'success', undefined],
    ['null_text', 'success', undefined],
    ['list_structure', 'success', undefined],
    ['rpc_error', 'error', 'upstream_error'],
    ['bad_shape', 'error', 'invalid_response'],
  ])('of %s is the same in the record, over HTTP and over MCP', async (toolName, outcome, errorType) => {
    const isError = outcome === 'error';
    const response = await call(toolName);
    expect([response.status >= 400, (await lastOutcome()).outcome]).toEqual([isError, outcome]);
    const problem = await json(response);
    for (const kind of clientKinds) {
      await using client = await connectClient(kind, hub, hub.operator);
      const result = await client.call('call_mcp_tool', { server_id: 'faulty', tool_name: toolName });
      expect(result.isError ?? false).toBe(isError);
      const { outcome: recorded, error_type: type } = await lastOutcome();
      expect([recorded, type]).toEqual([outcome, errorType]);
      if (isError) expect(result.content).toEqual([{ type: 'text', text: problem.detail }, ...(problem.content ?? [])]);
    }
  });
});

describe('arguments', () => {
  test.each([
    ['draft_2020', { pair: ['a', 1] }, { pair: [1, 'a'] }],
    ['draft_07', { pair: ['a', 1] }, { pair: [1, 'a'] }],
    ['no_dialect', { pair: ['a', 1] }, { pair: [1, 'a'] }],
  ])('are validated against %s before the upstream is called', async (tool, right, wrong) => {
    expect((await call(tool, { arguments: right }, { server: 'schemas' })).status).toBe(200);
    const response = await call(tool, { arguments: wrong }, { server: 'schemas' });
    const problem = await json(response);
    expect([response.status, problem.code]).toEqual([422, 'INVALID_ARGUMENTS']);
    expect(problem.violations[0]).toEqual({
      field: 'arguments.pair.1',
      message: 'must be number, found string',
    });
    expect(await lastOutcome()).toMatchObject({ tool_name: tool, outcome: 'error', error_type: 'invalid_arguments' });
  });

  const unusual = [
    'draft_04',
    'openapi',
    'null_members',
    'null_properties',
    'null_additional',
    'no_alternatives',
    'required_flag',
    'required_twice',
    'text_limit',
    'unknown_type',
    'broken_type',
    'broken_reference',
    'asynchronous',
  ];

  test.each(unusual)('are not checked against %s, and the call is marked and counted', async (tool) => {
    const { outcome, result } = await json(call(tool, { arguments: { x: '7' } }, { server: 'schemas' }));
    expect([outcome, result.content[0].text]).toEqual(['success', 'accepted {"x":"7"}']);
    expect(result.meta['hestia/arguments']).toEqual({ check: 'unchecked_schema' });
    expect(await lastOutcome()).toMatchObject({ tool_name: tool, outcome: 'success' });
  });

  test('of a name that every object inherits are not found in other objects', async () => {
    const { result } = await json(call('named_as_inherited', { arguments: { season: 2026 } }, { server: 'schemas' }));
    expect(result.content[0].text).toBe('accepted {"season":2026}');
    expect(result.meta).not.toHaveProperty('hestia/arguments');
  });

  test('that the server may convert are passed unchanged, with a warning in the result', async () => {
    const { result } = await json(call('same_id_a', { arguments: { x: '5' } }, { server: 'schemas' }));
    expect(result.content[0].text).toBe('accepted {"x":"5"}');
    expect(result.meta['hestia/arguments']).toEqual({
      check: 'warned',
      violations: [{ field: 'arguments.x', message: 'must be number, found string' }],
    });
  });

  test('that the server refuses are answered with its text, and with the warning', async () => {
    const response = await call('picky', { arguments: { url: 'nope' } }, { server: 'schemas' });
    expect(await json(response)).toMatchObject({
      status: 422,
      detail: expect.stringMatching(/^the server refused the arguments \(JSON-RPC code -32602; /),
      violations: [{ field: 'arguments.url', message: 'must match format "uri"' }],
      content: [{ type: 'text', text: 'url needs a scheme, such as https', _meta: { 'hestia/server_id': 'schemas' } }],
    });
  });

  test('nested deeper than the stack are refused, and the next call succeeds', async () => {
    const depth = 20_000;
    const body = `{"arguments":${'{"next":'.repeat(depth)}1${'}'.repeat(depth)}}`;
    const headers = { 'content-type': 'application/json' };
    const response = await hub.operator.fetch('/v1/tools/schemas/recursive/call', { method: 'POST', body, headers });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect((await call('pid')).status).toBe(200);
  });

  test('are validated also when several schemas have the same `$id`', async () => {
    for (const tool of ['same_id_a', 'same_id_b'])
      expect((await call(tool, { arguments: { x: 1 } }, { server: 'schemas' })).status).toBe(200);
  });
});

describe('a server over HTTP that stops during a call', () => {
  test('fails the call at once', async () => {
    const upstream = await startFaultyHttpServer();
    await using other = await startListeningHub({ file: { mcpServers: { remote: { url: upstream.url } } } });
    await untilConnected(other, 'remote');
    const pending = other.operator.fetch('/v1/tools/remote/hang/call', { json: {} });
    await expect.poll(() => upstream.openCalls()).toBe(1);
    await upstream[Symbol.asyncDispose]();
    const response = await pending;
    expect([response.status, (await json(response)).code]).toEqual([502, 'UPSTREAM_FAILED']);
  });
});

describe('a call whose record cannot be written', () => {
  test('returns its result, counts and logs the missing record, and the next one is written', async () => {
    await using other = await startListeningHub({
      file: {
        mcpServers: { faulty: supportServer('faulty-server.ts') },
        policy: { auditMode: 'best-effort' },
      },
    });
    await untilConnected(other, 'faulty');
    const refused = refuseRecords(other.config.dataDirectory);
    const answer = await json(other.operator.fetch('/v1/tools/faulty/pid/call', { json: {} }));
    refused[Symbol.dispose]();
    expect(answer).toMatchObject({ outcome: 'success', result: { isError: false } });
    await using client = await connectClient('2.x, 2026-07-28', other, other.operator);
    expect((await client.call('get_mcp_hub_status')).structuredContent.audit_gap).toBe(1);
    await expect
      .poll(() => other.logLines().filter((line) => line.message === 'An event could not be recorded'))
      .toHaveLength(1);
    await other.operator.fetch('/v1/tools/faulty/pid/call', { json: {} });
    const { items } = await json(other.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME'));
    expect(items).toHaveLength(1);
    expect(await json(other.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });
});

describe('statistics', () => {
  test('count outcomes by tool, and show an agent only its namespace', async () => {
    const otherAgent = await hub.key('stranger', 'agent', 'elsewhere');
    await call('pid', {}, { key: otherAgent });
    const all = await json(hub.operator.fetch('/v1/tools/stats'));
    const own = await json(otherAgent.fetch('/v1/tools/stats'));
    expect(own.items).toMatchObject([
      { serverId: 'faulty', toolName: 'pid', calls: 1, outcomes: { success: 1, error: 0, timeout: 0, abandoned: 0 } },
    ]);
    const hang = all.items.find((item: { toolName: string }) => item.toolName === 'hang');
    expect(hang.outcomes).toMatchObject({ timeout: 1, abandoned: 1 });
    expect(hang.latencyMsP95).toBeGreaterThan(0);
  });
});

describe('a call whose caller sets a deadline too short for any tool', () => {
  test('says nothing about the tool to others, even from two keys together', async () => {
    const query = 'hang for ever';
    const seen = async () => {
      const { results } = await json(hub.operator.fetch('/v1/tools/search', { json: { query, explain: true } }));
      const hanging = results.find((one: { toolName: string }) => one.toolName === 'hang');
      return [results.map((one: { toolName: string }) => one.toolName), hanging.explanation.parts];
    };
    const before = await seen();
    for (const name of ['eve', 'mallory']) {
      const key = await hub.key(name);
      const { searchId } = await json(key.fetch('/v1/tools/search', { json: { query } }));
      expect((await call('hang', { timeoutMs: 1, searchId }, { key })).status).toBe(504);
    }
    expect(await seen()).toEqual(before);
  });
});

describe('a hub whose argumentCheck is strict', () => {
  test('refuses what does not fit, what cannot be checked, and nothing else', async () => {
    await using strict = await startListeningHub({
      file: { mcpServers: { schemas: supportServer('schema-server.ts') }, policy: { argumentCheck: 'strict' } },
    });
    await untilConnected(strict, 'schemas');
    const statusOf = async (tool: string, args: object) =>
      (await strict.operator.fetch(`/v1/tools/schemas/${tool}/call`, { json: { arguments: args } })).status;
    expect(await statusOf('same_id_a', { x: 5 })).toBe(200);
    expect(await statusOf('same_id_a', { x: '5' })).toBe(422);
    expect(await statusOf('picky', { url: 'nope' })).toBe(422);
    for (const tool of ['draft_04', 'broken_type', 'asynchronous']) expect(await statusOf(tool, { x: 5 })).toBe(502);
  });
});

describe('a tool definition', () => {
  test('keeps `_meta`, `execution` and icons', async () => {
    const tool = await json(hub.operator.fetch('/v1/tools/faulty/exotic'));
    expect(tool).toMatchObject({
      icons: [{ mimeType: 'image/png' }],
      execution: { taskSupport: 'optional' },
      meta: { ui: { resourceUri: 'ui://exotic/view' } },
    });
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    const found = await client.call('get_tool_schema', { server_id: 'faulty', tool_name: 'exotic' });
    expect(found.structuredContent).toMatchObject({
      execution: { taskSupport: 'optional' },
      meta: { ui: { resourceUri: 'ui://exotic/view' } },
    });
  });
});
