/** The fast path of a call: the requests that take it, and its equivalence to the path through the SDK. */
import { CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plainCall } from '../../src/mcp/fast-path.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { startObservedHub } from '../support/hub/hub-observed.ts';
import { supportServer } from '../support/servers/support-server.ts';

const legacyHeaders = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
};
const modernMeta = { [PROTOCOL_VERSION_META_KEY]: '2026-07-28', [CLIENT_CAPABILITIES_META_KEY]: {} };
const modernHeaders = (name: string) => ({
  ...legacyHeaders,
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': name,
});
const message = (params: object, rest: object = {}) => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params,
  ...rest,
});
const params = { name: 'list_skills', arguments: { limit: 1 } };

describe('a request that takes the fast path', () => {
  test.each([
    ['of a 2025-era client', message(params), legacyHeaders],
    ['without a protocol version', message(params), { ...legacyHeaders, 'mcp-protocol-version': undefined }],
    ['without arguments', message({ name: 'list_skills' }), legacyHeaders],
    ['with a trace context', message({ ...params, _meta: { traceparent: 'x' } }), legacyHeaders],
    ['of a 2026-era client', message({ ...params, _meta: modernMeta }), modernHeaders('list_skills')],
    ['with a text for an id', message(params, { id: 'seven' }), legacyHeaders],
  ])('is one %s', (_what, body, headers) => {
    expect(plainCall(body, headersOf(headers))).toMatchObject({ id: body.id, toolName: 'list_skills' });
  });
});

describe('a request that the SDK handles', () => {
  test.each([
    ['another method', message(params, { method: 'tools/list' }), legacyHeaders],
    ['a notification', message(params, { id: undefined }), legacyHeaders],
    ['an id that is no id', message(params, { id: 1.5 }), legacyHeaders],
    ['a batch', [message(params)], legacyHeaders],
    ['a name that is no text', message({ ...params, name: 7 }), legacyHeaders],
    ['arguments that are a list', message({ ...params, arguments: [] }), legacyHeaders],
    ['a member it does not know', message({ ...params, task: {} }), legacyHeaders],
    ['a wish for progress', message({ ...params, _meta: { progressToken: 1 } }), legacyHeaders],
    ['another JSON-RPC', message(params, { jsonrpc: '1.0' }), legacyHeaders],
    ['a client that takes no JSON', message(params), { ...legacyHeaders, accept: 'text/event-stream' }],
    ['a client that takes no stream', message(params), { ...legacyHeaders, accept: 'application/json' }],
    ['another content type', message(params), { ...legacyHeaders, 'content-type': 'text/plain' }],
    ['a revision that is not served', message(params), { ...legacyHeaders, 'mcp-protocol-version': '2020-01-01' }],
    ['a header of 2026 without the envelope', message(params), modernHeaders('list_skills')],
    ['an envelope without the headers', message({ ...params, _meta: modernMeta }), legacyHeaders],
    ['an envelope that names another tool', message({ ...params, _meta: modernMeta }), modernHeaders('other')],
    [
      'an envelope of a revision that is not served',
      message({ ...params, _meta: { ...modernMeta, [PROTOCOL_VERSION_META_KEY]: '2030-01-01' } }),
      { ...modernHeaders('list_skills'), 'mcp-protocol-version': '2030-01-01' },
    ],
    [
      'an envelope that is incomplete',
      message({ ...params, _meta: { [PROTOCOL_VERSION_META_KEY]: '2026-07-28' } }),
      modernHeaders('list_skills'),
    ],
  ])('has %s', (_what, body, headers) => {
    expect(plainCall(body, headersOf(headers))).toBeUndefined();
  });
});

describe('the fast path and the SDK', () => {
  let hub: ListeningHub;
  beforeAll(async () => {
    hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
    await untilConnected(hub, 'faulty');
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  const call = (toolName: string, more: object = {}) => ({
    name: 'call_mcp_tool',
    arguments: { server_id: 'faulty', tool_name: toolName, ...more },
  });
  const cases: [string, { name: string; arguments?: object }][] = [
    ['a result', call('echo', { arguments: { text: 'ü' } })],
    ['a tool error', call('tool_error')],
    ['a result of no kind that is known', call('exotic')],
    ['a result with nulls', call('nulls')],
    ['a result with a text that is null', call('null_text')],
    ['a result whose structure is a list', call('list_structure')],
    ['an error of the upstream', call('rpc_error')],
    ['a response that is no result', call('bad_shape')],
    ['a tool that is not there', call('nothing')],
    ['arguments that do not fit', { name: 'call_mcp_tool', arguments: { server_id: 7 } }],
    ['a deadline that passes', call('hang', { timeout_ms: 50 })],
    ['a tool of the hub', { name: 'get_scheduler_status' }],
    ['a name that nobody has', { name: 'nobody' }],
  ];
  for (const era of ['2025', '2026']) {
    test.each(cases)(`answer %s identically to a client of ${era}`, async (_what, { name, ...rest }) => {
      const meta = era === '2026' ? modernMeta : {};
      const headers = era === '2026' ? modernHeaders(name) : legacyHeaders;
      const post = async (more: object) => {
        const body = message({ name, ...rest, _meta: { ...meta, ...more } });
        expect(plainCall(body, headersOf(headers)) !== undefined).toBe(!('progressToken' in more));
        const response = await fetch(`${hub.url}/mcp`, {
          method: 'POST',
          headers: { ...headers, authorization: `Bearer ${hub.operator.secret}` },
          body: JSON.stringify(body),
        });
        const text = await response.text();
        return { status: response.status, message: JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) };
      };
      expect(await post({})).toEqual(await post({ progressToken: 'wished' }));
    });
  }
});

describe('the traces of the fast path and of the SDK', () => {
  test('have the same spans with the same attributes', async () => {
    await using observed = await startObservedHub({ faulty: supportServer('faulty-server.ts') });
    const spansOf = async (traceId: string, more: object) => {
      const echo = { server_id: 'faulty', tool_name: 'twice', arguments: {} };
      const answer = await observed.hub.fetch('/mcp', {
        method: 'POST',
        headers: { ...legacyHeaders, traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
        body: JSON.stringify(message({ name: 'call_mcp_tool', arguments: echo, _meta: more })),
      });
      expect(await answer.text()).toContain('first');
      await observed.span('POST /mcp', traceId);
      const spans = observed.receiver.spans().filter((span) => span.traceId === traceId);
      return spans.map(({ name, kind, attributes }) => ({
        name,
        kind,
        attributes: Object.keys(attributes).toSorted(),
      }));
    };
    const direct = await spansOf('1'.repeat(32), {});
    expect(direct.map(({ name }) => name)).toEqual(['tools/call twice', 'tools/call call_mcp_tool', 'POST /mcp']);
    expect(await spansOf('2'.repeat(32), { progressToken: 1 })).toEqual(direct);
  });
});

function headersOf(record: Record<string, string | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(record)) if (value !== undefined) headers.set(name, value);
  return headers;
}
