/**
 * Fuzz tests of every documented operation, with arbitrary parameters, bodies and keys, and of JSON-RPC at /mcp.
 * The hub responds to each request with an intended status, and leaks no internals.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, publishSkill, startTestHub, type TestHub, type TestKey } from '../support/hub/hub.ts';
import { untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

/** Number of requests to each documented operation, and of messages to /mcp. */
const runsPerOperation = 150;
const messages = 1500;

interface Operation {
  method: string;
  path: string;
  bodyTypes: string[];
}

let hub: TestHub;
let keys: (TestKey | undefined)[];
let operations: Operation[];
beforeAll(async () => {
  hub = await startTestHub({
    file: {
      // No request names the server `spare`, so that none disconnects or removes it.
      mcpServers: { faulty: supportServer('faulty-server.ts'), spare: supportServer('faulty-server.ts') },
      limits: {
        authFailuresPerMinute: 1_000_000,
        requestsPerMinute: 1_000_000,
        callTimeoutMs: 500,
        callTimeoutMsMax: 500,
      },
    },
  });
  await untilConnected(hub, 'faulty', 'spare');
  keys = [hub.operator, await hub.key('agent'), await hub.key('auditor', 'auditor'), undefined];
  await publishSkill(hub.operator, 'known');
  const { paths } = await json(hub.operator.fetch('/openapi.json'));
  operations = Object.entries<Record<string, { requestBody?: { content: object } }>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      bodyTypes: Object.keys(requestBody?.content ?? {}),
    })),
  );
});
afterAll(() => hub[Symbol.asyncDispose]());

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom(
    '..',
    '../../etc/passwd',
    '%00',
    "' OR 1=1 --",
    '\u202e',
    'x'.repeat(3000),
    '__proto__',
    '{{7*7}}',
    '-1',
    '1e309',
  ),
);
const knownText = fc.constantFrom('known', 'faulty', 'pid', 'hestia', 'skill_known', 'default', '1', 'query');
const text = fc.oneof({ weight: 2, arbitrary: oddText }, { weight: 1, arbitrary: knownText });
const knownFields = fc.constantFrom(
  ...['query', 'limit', 'source', 'arguments', 'timeoutMs', 'searchId', 'ttlSeconds', 'agentId', 'role', 'namespace'],
  ...['expiresInDays', 'explain', 'cursor', 'markdown', 'files', 'event', 'before', 'after', 'from', 'to', 'seq'],
);
const body = fc.oneof(
  fc
    .dictionary(fc.oneof(knownFields, oddText), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
    .map((value) => JSON.stringify(value)),
  fc.json({ maxDepth: 4 }),
  oddText,
);
const queryString = fc
  .array(fc.tuple(fc.oneof(knownFields, oddText), text), { maxLength: 4 })
  .map((pairs) => pairs.map((pair) => pair.map((part) => encodeURIComponent(part.toWellFormed())).join('=')).join('&'));

/** What a response must never contain: stacks, source files, local paths. */
const internals = () => [/\n\s+at /, /node_modules/, /\.ts:\d+/, /file:\/\//, /SQLITE|sqlite/, new RegExp(hub.folder)];
const intended503 = ['SERVER_UNAVAILABLE', 'OVERLOADED', 'SHUTTING_DOWN'];
const upstreamFailures = ['UPSTREAM_FAILED', 'TIMEOUT', 'RESPONSE_TOO_LARGE', 'INVALID_TOOL_SCHEMA'];

async function expectIntended(response: Response): Promise<void> {
  const answer = await response.text();
  for (const pattern of internals()) expect(answer).not.toMatch(pattern);
  if (response.status < 500) return;
  const { code } = JSON.parse(answer);
  expect([...intended503, ...upstreamFailures], answer.slice(0, 300)).toContain(code);
}

describe('every documented operation', () => {
  test('responds to any request without an internal failure, and leaks no internals', async () => {
    expect(operations.length).toBeGreaterThan(20);
    let requestsSent = 0;
    for (const { method, path, bodyTypes } of operations) {
      const requests = fc.record({
        parts: fc.array(text, { minLength: 4, maxLength: 4 }),
        query: queryString,
        body,
        type: fc.oneof(fc.constantFrom('application/json', 'text/markdown', ...bodyTypes), fc.constant('text/plain')),
        who: fc.nat({ max: keys.length - 1 }),
      });
      const send = async ({
        parts,
        query,
        body: sent,
        type,
        who,
      }: typeof requests extends fc.Arbitrary<infer T> ? T : never) => {
        let at = 0;
        const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent((parts[at++] ?? '').toWellFormed()) || 'x');
        const hasBody = method !== 'GET' && method !== 'HEAD';
        const request = { method, ...(hasBody && { body: sent.toWellFormed(), headers: { 'content-type': type } }) };
        const fetchAs = keys[who]?.fetch ?? hub.fetch;
        await expectIntended(await fetchAs(`${filled}${query && `?${query}`}`, request));
        requestsSent += 1;
      };
      await fc.assert(fc.asyncProperty(requests, send), { numRuns: runsPerOperation });
    }
    expect(requestsSent).toBeGreaterThanOrEqual(operations.length * runsPerOperation);
  }, 600_000);
});

describe('/mcp', () => {
  const method = fc.oneof(
    fc.constantFrom('initialize', 'tools/list', 'tools/call', 'ping', 'notifications/cancelled', 'server/discover'),
    oddText,
  );
  const params = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record(
      {
        name: fc.oneof(fc.constantFrom('search_tools', 'call_mcp_tool', 'activate_skill', 'skill_known'), oddText),
        arguments: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.dictionary(knownFields, fc.jsonValue({ maxDepth: 2 }))),
        protocolVersion: oddText,
        _meta: fc.oneof(
          fc.jsonValue({ maxDepth: 2 }),
          fc.dictionary(fc.constantFrom('traceparent', 'tracestate', 'baggage', 'progressToken'), oddText),
        ),
      },
      { requiredKeys: [] },
    ),
  );
  const message = fc.record(
    {
      jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue({ maxDepth: 1 })),
      id: fc.jsonValue({ maxDepth: 1 }),
      method,
      params,
    },
    { requiredKeys: [] },
  );
  const sent = fc.oneof(
    message.map((value) => JSON.stringify(value)),
    fc.array(message, { maxLength: 3 }).map((value) => JSON.stringify(value)),
    body,
  );
  const header = fc.oneof(fc.constantFrom('2025-11-25', '2026-07-28', '1999-01-01'), fc.string({ maxLength: 20 }));

  test('responds to any message without an internal failure, and leaks no internals', async () => {
    await fc.assert(
      fc.asyncProperty(sent, header, fc.nat({ max: keys.length - 1 }), async (text, version, who) => {
        const headers = {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'mcp-protocol-version': version.replaceAll(/[^\x21-\x7e]/g, '') || '2025-11-25',
        };
        const fetchAs = keys[who]?.fetch ?? hub.fetch;
        const request = { method: 'POST', body: text.toWellFormed(), headers, signal: AbortSignal.timeout(60_000) };
        await expectIntended(await fetchAs('/mcp', request));
      }),
      { numRuns: messages },
    );
  }, 600_000);
});

describe('after all fuzz tests', () => {
  test('the hub works, its trail verifies, and its log has no internal failure', async () => {
    // The deadline of calls is short here, and a busy machine may exceed it.
    const called = async () => (await hub.operator.fetch('/v1/tools/spare/pid/call', { json: {} })).status;
    await expect.poll(called, { timeout: 30_000 }).toBe(200);
    expect(await json(hub.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
    const broken = hub.logLines().filter(({ level, code }) => level === 'error' || code === 'INTERNAL');
    expect(broken).toEqual([]);
  }, 120_000);
});
