import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, publishSkill } from '../support/hub/hub.ts';
import {
  clientKinds,
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

const metaTools = [
  'search_tools',
  'get_tool_schema',
  'call_mcp_tool',
  'list_mcp_servers',
  'connect_mcp_server',
  'disconnect_mcp_server',
  'get_mcp_hub_status',
  'list_skills',
  'activate_skill',
  'deactivate_skill',
  'get_scheduler_status',
];

let hub: ListeningHub;
beforeAll(async () => {
  const everything = {
    command: process.execPath,
    args: ['node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'stdio'],
    cwd: process.cwd(),
  };
  hub = await startListeningHub({ file: { mcpServers: { everything, faulty: supportServer('faulty-server.ts') } } });
  await untilConnected(hub, 'everything', 'faulty');
  await publishSkill(hub.operator, 'log-review');
});
afterAll(() => hub[Symbol.asyncDispose]());

describe.each(clientKinds)('a client of %s', (kind) => {
  const connect = () => connectClient(kind, hub, hub.operator);
  const upstream = (tool_name: string, args: Record<string, unknown> = {}, server_id = 'everything') => ({
    server_id,
    tool_name,
    arguments: args,
  });

  test('negotiates its own protocol version and lists the eleven tools', async () => {
    await using client = await connect();
    const negotiated = kind === '2.x, 2026-07-28' ? '2026-07-28' : '2025-11-25';
    // The client's transport of HTTP+SSE does not tell the version.
    expect(client.protocolVersion()).toBe(kind === '1.x over HTTP+SSE' ? undefined : negotiated);
    expect(await client.listTools()).toEqual(metaTools);
  });

  test('sees the tool of a skill appear and disappear, and is notified each time', async () => {
    await using client = await connect();
    const activated = await client.call('activate_skill', { skill_name: 'log-review', ttl_seconds: 600 });
    expect(activated.structuredContent).toMatchObject({
      changed: true,
      tool_name: 'skill_log_review',
      registered: true,
    });
    await expect.poll(() => client.listChanges()).toBe(1);
    expect(await client.listTools()).toEqual([...metaTools, 'skill_log_review']);
    const used = await client.call('skill_log_review', { arguments: 'the log of today' });
    expect(used.content[0].text).toContain('Do log-review well.');
    expect(used.content[0].text).toContain('ARGUMENTS: the log of today');
    await client.call('deactivate_skill', { skill_name: 'log-review' });
    await expect.poll(() => client.listChanges()).toBe(2);
    expect(await client.listTools()).toEqual(metaTools);
    await expect(client.call('skill_log_review')).rejects.toMatchObject({ code: -32602, data: { code: 'NOT_FOUND' } });
  });

  test('finds, inspects and calls a tool, and the outcome names the search', async () => {
    await using client = await connect();
    const found = (await client.call('search_tools', { query: 'add two numbers', limit: 3 })).structuredContent;
    expect(found.results[0]).toMatchObject({ server_id: 'everything', tool_name: 'get-sum', source: 'upstream' });
    expect(found.results[0]).not.toHaveProperty('input_schema');
    const schema = (await client.call('get_tool_schema', { server_id: 'everything', tool_name: 'get-sum' }))
      .structuredContent;
    expect(schema.input_schema.required).toEqual(['a', 'b']);
    const call = { ...upstream('get-sum', { a: 2, b: 3 }), search_id: found.search_id };
    expect((await client.call('call_mcp_tool', call)).content[0].text).toContain('5');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'));
    expect(items.at(-1).fields).toMatchObject({ tool_name: 'get-sum', outcome: 'success', search_id: found.search_id });
  });

  test('gets the reasons for the ranks if it requests them', async () => {
    await using client = await connect();
    const found = (await client.call('search_tools', { query: 'add two numbers', explain: true })).structuredContent;
    expect(found.results[0].explanation).toMatchObject({
      words: expect.arrayContaining([expect.stringContaining('by its text')]),
      parts: { relevance: expect.any(Number), availability: expect.any(Number), others_count: expect.any(Number) },
    });
    const narrowed = (await client.call('search_tools', { query: 'add two numbers', server_id: 'none' }))
      .structuredContent;
    expect(narrowed.results).toEqual([]);
  });

  test('gets input schemas with the search if it requests them', async () => {
    await using client = await connect();
    const found = (await client.call('search_tools', { query: 'add two numbers', defer_loading: false }))
      .structuredContent;
    expect(found.results[0].input_schema).toMatchObject({ type: 'object' });
  });

  test('gets images, structured content and resources unchanged', async () => {
    await using client = await connect();
    const image = await client.call('call_mcp_tool', upstream('get-tiny-image'));
    expect(image.content.some((block) => block.type === 'image' && block.mimeType === 'image/png')).toBe(true);
    const structured = await client.call('call_mcp_tool', upstream('get-structured-content', { location: 'Chicago' }));
    expect(structured.structuredContent).toMatchObject({ conditions: expect.any(String) });
    const links = await client.call('call_mcp_tool', upstream('get-resource-links', { count: 2 }));
    expect(links.content.filter((block) => block.type === 'resource_link')).toHaveLength(2);
  });

  test('gets the progress of a running call', async () => {
    await using client = await connect();
    const progress: unknown[] = [];
    const call = upstream('trigger-long-running-operation', { duration: 0.3, steps: 3 });
    await client.call('call_mcp_tool', call, { onprogress: (step) => progress.push(step) });
    // Where the last step and the result arrive in one piece, the library reads the result first, and drops the step.
    const steps = kind === '1.x over HTTP+SSE' ? progress.length : 3;
    expect(steps).toBeGreaterThanOrEqual(2);
    expect(progress).toEqual(
      Array.from({ length: steps }, (_, step) => expect.objectContaining({ progress: step + 1, total: 3 })),
    );
  });

  test('cancels a call: the upstream server is notified, and the outcome is abandoned', async () => {
    await using client = await connect();
    const controller = new AbortController();
    const call = client.call('call_mcp_tool', upstream('hang', {}, 'faulty'), { signal: controller.signal });
    await expect.poll(async () => (await client.call('get_mcp_hub_status')).structuredContent.calls_running).toBe(1);
    controller.abort();
    await expect(call).rejects.toThrow();
    const notifications = async () =>
      JSON.parse((await client.call('call_mcp_tool', upstream('cancelled', {}, 'faulty'))).content[0].text).length;
    await expect.poll(notifications).toBe(clientKinds.indexOf(kind) + 1);
    const outcomes = async () => {
      const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'));
      return items.filter((item: { fields: Record<string, unknown> }) => item.fields.outcome === 'abandoned');
    };
    await expect.poll(async () => (await outcomes()).length).toBe(clientKinds.indexOf(kind) + 1);
    expect((await outcomes()).at(-1).fields).toMatchObject({
      tool_name: 'hang',
      error_type: 'cancelled',
      agent_id: 'operator',
    });
  });

  test('gets a protocol error for a tool that the endpoint does not list', async () => {
    await using client = await connect();
    const error = { code: -32602, data: { code: 'NOT_FOUND' } };
    await expect(client.call('no_such_tool')).rejects.toMatchObject(error);
  });

  test.each([
    ['an unknown server', 'call_mcp_tool', { server_id: 'nowhere', tool_name: 'echo' }, 'NOT_FOUND'],
    ['an unknown tool of a server', 'call_mcp_tool', { server_id: 'everything', tool_name: 'nothing' }, 'NOT_FOUND'],
    [
      'arguments that do not fit',
      'call_mcp_tool',
      { server_id: 'everything', tool_name: 'echo', arguments: { message: {} } },
      'INVALID_ARGUMENTS',
    ],
    ['arguments the hub does not know', 'list_mcp_servers', { sort: true }, 'INVALID_ARGUMENTS'],
    ['an unknown skill', 'activate_skill', { skill_name: 'nothing' }, 'NOT_FOUND'],
  ])('gets a failed result with the code of the closed list for %s', async (_what, name, args, code) => {
    await using client = await connect();
    expect(await client.call(name, args)).toMatchObject({
      isError: true,
      content: [{ type: 'text' }],
      _meta: { 'hestia/error': { code } },
    });
  });

  test('cannot name another agent: the name is ignored, with a hint', async () => {
    await using client = await connect();
    const { content } = await client.call('call_mcp_tool', {
      ...upstream('echo', { message: 'x' }),
      agent_id: 'other',
    });
    expect(content[0].text).toBe('Echo: x');
    expect(content[1].text).toContain('ignored "agent_id"');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME&limit=200'));
    expect(items.at(-1).fields).toMatchObject({ tool_name: 'echo', agent_id: 'operator' });
  });

  test('reads status, servers, skills and scheduler', async () => {
    await using client = await connect();
    const status = (await client.call('get_mcp_hub_status')).structuredContent;
    expect(status).toMatchObject({
      servers: { connected: 2, total: 2 },
      audit_gap: 0,
      scheduler: { is_running: true, interval_hours: 1 },
    });
    const { servers } = (await client.call('list_mcp_servers')).structuredContent;
    expect(servers.map((server: { server_id: string }) => server.server_id)).toEqual(['everything', 'faulty']);
    expect((await client.call('list_skills')).structuredContent.skills).toMatchObject([
      { skill_name: 'log-review', active: false },
    ]);
    expect(Object.keys((await client.call('get_scheduler_status')).structuredContent)).toEqual([
      'is_running',
      'interval_hours',
      'last_run_time',
      'next_run_time',
      'total_cleanups',
      'total_deleted',
    ]);
  });

  test('disconnects and connects a server, which removes and restores its tools', async () => {
    await using client = await connect();
    expect((await client.call('disconnect_mcp_server', { server_id: 'everything' })).structuredContent.state).toBe(
      'disconnected',
    );
    const call = client.call('call_mcp_tool', upstream('echo', { message: 'x' }));
    expect(await call).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'SERVER_UNAVAILABLE' } } });
    expect((await client.call('connect_mcp_server', { server_id: 'everything' })).structuredContent.state).toBe(
      'connected',
    );
    expect((await client.call('call_mcp_tool', upstream('echo', { message: 'x' }))).content[0].text).toBe('Echo: x');
  });
});

describe('an agent without the role operator', () => {
  test('cannot connect or disconnect servers, and the denial is recorded', async () => {
    const agent = await hub.key('billing-bot');
    await using client = await connectClient('2.x, 2026-07-28', hub, agent);
    const refused = client.call('disconnect_mcp_server', { server_id: 'everything' });
    expect(await refused).toMatchObject({ isError: true, _meta: { 'hestia/error': { code: 'FORBIDDEN' } } });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=ACCESS_DENIED'));
    expect(items).toMatchObject([{ agent_id: 'billing-bot', fields: { action: 'server.manage' } }]);
  });

  test('does not see the skills of another namespace', async () => {
    await hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' });
    const stranger = await hub.key('stranger', 'agent', 'elsewhere');
    await using client = await connectClient('2.x, 2026-07-28', hub, stranger);
    expect(await client.listTools()).toEqual(metaTools);
    await expect(client.call('skill_log_review')).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
    const found = (await client.call('search_tools', { query: 'log review', source: 'skill' })).structuredContent;
    expect(found.results).toEqual([]);
  });
});

describe('the reason of a failed call', () => {
  test.each(clientKinds)(
    'can be read by a client of %s: what the server answered, marked as its text, or what the hub found',
    async (kind) => {
      await using client = await connectClient(kind, hub, hub.operator);
      const failed = async (tool: string, more: object = {}) => {
        const result = await client.call('call_mcp_tool', { server_id: 'faulty', tool_name: tool, ...more });
        expect(result.isError).toBe(true);
        return result.content;
      };
      expect(await failed('rpc_error')).toEqual([
        {
          type: 'text',
          text: expect.stringMatching(/^the server answered with an error \(JSON-RPC code -32050; .*follows/),
        },
        { type: 'text', text: 'secret-token-1', _meta: { 'hestia/server_id': 'faulty' } },
      ]);
      expect(await failed('bad_shape')).toEqual([
        { type: 'text', text: 'the server answered with something that is not a tool result' },
      ]);
      expect(await failed('hang', { timeout_ms: 50 })).toEqual([
        { type: 'text', text: expect.stringMatching(/^the tool did not answer in time \(50 ms; .* \d+ ms\)$/) },
      ]);
    },
  );
});
