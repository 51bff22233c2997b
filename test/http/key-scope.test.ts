/**
 * Keys that are limited to servers and tools, over every door: what a key may not use is not shown, is answered as what does
 * not exist, and the attempt is on record.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { KeyScope } from '../../src/shapes/access.ts';
import { json, publishSkill, type TestKey } from '../support/hub/hub.ts';
import {
  type AnyClient,
  clientKinds,
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../support/hub/hub-listening.ts';
import { realServer } from '../support/servers/real-server.ts';
import { supportServer } from '../support/servers/support-server.ts';

interface Tool {
  serverId: string;
  toolName: string;
  source: string;
}

let hub: ListeningHub;
/** Every tool of the hub, and those that say that they only read. */
let everyTool: Tool[];
let readOnlyTools: Set<string>;
const nameOf = ({ serverId, toolName }: Omit<Tool, 'source'>) => `${serverId}/${toolName}`;

beforeAll(async () => {
  hub = await startListeningHub({
    file: {
      mcpServers: {
        files: realServer('filesystem', [import.meta.dirname]),
        faulty: supportServer('faulty-server.ts'),
        'team/notes': supportServer('skills-server.ts'),
        down: { command: 'no-such-command-of-hestia' },
      },
      limits: { requestsPerMinute: 100_000 },
    },
  });
  await untilConnected(hub, 'files', 'faulty', 'team/notes');
  for (const name of ['triage', 'summary']) {
    await publishSkill(hub.operator, name);
    await hub.operator.fetch(`/v1/skills/${name}/activate`, { json: {} });
  }
  everyTool = (await json(hub.operator.fetch('/v1/tools?limit=200'))).items;
  const schemas = await Promise.all(
    everyTool.map((tool) =>
      json(hub.operator.fetch(`/v1/tools/${encodeURIComponent(tool.serverId)}/${tool.toolName}`)),
    ),
  );
  readOnlyTools = new Set(schemas.filter(({ annotations }) => annotations?.readOnlyHint === true).map(nameOf));
}, 90_000);
afterAll(() => hub[Symbol.asyncDispose]());

let keysCount = 0;
function limitedKey(scope: KeyScope): Promise<TestKey> {
  keysCount += 1;
  return hub.key(`limited-${keysCount}`, 'agent', 'default', scope);
}

async function denials(agentId: string): Promise<Record<string, unknown>[]> {
  const { items } = await json(hub.operator.fetch(`/v1/audit/events?event=ACCESS_DENIED&agentId=${agentId}`));
  return items.map(({ fields }: { fields: Record<string, unknown> }) => fields);
}

/** An answer without what is different in every answer. */
async function problemOf(answer: Promise<Response>): Promise<{ status: number; body: unknown }> {
  const response = await answer;
  const { instance: _, traceId: _trace, ...body } = await json(response);
  return { status: response.status, body };
}

function answerTo(key: TestKey, tool: string): ReturnType<typeof problemOf> {
  return problemOf(key.fetch(`/v1/tools/${tool}/call`, { json: { arguments: {} } }));
}

describe('a key of two servers and some of their tools', () => {
  const scope = { servers: ['files', 'faulty'], tools: ['faulty/*', 'files/read_*'] };

  test('shows its scope when it is created and listed, and its creation is on record', async () => {
    const created = await json(hub.operator.fetch('/v1/keys', { json: { agentId: 'shown', scope } }));
    expect(created.scope).toEqual(scope);
    const listed = (await json(hub.operator.fetch('/v1/keys?limit=200'))).items;
    expect(listed.find(({ keyId }: { keyId: string }) => keyId === created.keyId)?.scope).toEqual(scope);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=KEY_CREATED&limit=200'));
    const scopes = items.map(({ fields }: { fields: Record<string, unknown> }) => fields.scope);
    expect(scopes).toContain(JSON.stringify(scope));
  });

  test('calls its tools, and is told that the others do not exist', async () => {
    const key = await limitedKey(scope);
    expect(await answerTo(key, 'faulty/pid')).toMatchObject({ status: 200 });
    const unknownTool = await answerTo(key, 'files/no_such_tool');
    const unknownServer = await answerTo(key, 'no-such-server/some_tool');
    expect(await answerTo(key, 'files/write_file')).toEqual(unknownTool);
    expect(await answerTo(key, 'team%2Fnotes/anything')).toEqual(unknownServer);
    expect(await answerTo(key, 'down/anything')).toEqual(unknownServer);
    expect(await answerTo(key, 'hestia/skill_triage')).toEqual(await answerTo(key, 'hestia/skill_absent'));
    expect(await denials(`limited-${keysCount}`)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          action: 'tool.call',
          server_id: 'files',
          tool_name: 'write_file',
          error_type: 'absent',
        }),
        expect.objectContaining({ server_id: 'hestia', tool_name: 'skill_triage' }),
        // Recorded too, so that the duration does not reveal which tools exist.
        expect.objectContaining({ server_id: 'files', tool_name: 'no_such_tool' }),
      ]),
    );
  });

  test('inspects no other tool', async () => {
    const key = await limitedKey(scope);
    expect((await key.fetch('/v1/tools/files/read_text_file')).status).toBe(200);
    const hidden = await problemOf(key.fetch('/v1/tools/files/write_file'));
    expect(hidden).toMatchObject({ status: 404 });
    expect(hidden).toEqual(await problemOf(key.fetch('/v1/tools/files/no_such_tool')));
    expect(await denials(`limited-${keysCount}`)).toContainEqual(
      expect.objectContaining({ action: 'tool.search', server_id: 'files', tool_name: 'write_file' }),
    );
  });

  test('is not told of servers that it cannot use', async () => {
    const key = await limitedKey(scope);
    const { items } = await json(key.fetch('/v1/servers'));
    expect(items.map(({ serverId }: Tool) => serverId).toSorted()).toEqual(['faulty', 'files']);
    const shown = everyTool.filter(({ serverId, toolName }) => serverId === 'files' && toolName.startsWith('read_'));
    expect(items.find(({ serverId }: Tool) => serverId === 'files').toolsCount).toBe(shown.length);
    const all = await json(hub.operator.fetch('/v1/tools/search', { json: { query: 'zzzz' } }));
    expect(all.serversUnavailable ?? all.serversConnecting).toEqual(['down']);
    const answer = await json(key.fetch('/v1/tools/search', { json: { query: 'zzzz' } }));
    expect(answer).not.toHaveProperty('serversUnavailable');
    expect(answer).not.toHaveProperty('serversConnecting');
    const ofHidden = await json(key.fetch('/v1/tools/search', { json: { query: 'zzzz', serverId: 'team/notes' } }));
    expect(ofHidden).toMatchObject({ results: [], reasons: ['no_tools'] });
  });

  test('sees no skill, whose tools are those of the server `hestia`', async () => {
    const key = await limitedKey(scope);
    expect((await json(key.fetch('/v1/skills'))).items).toEqual([]);
    expect((await key.fetch('/v1/skills/triage')).status).toBe(404);
    expect((await key.fetch('/v1/skills/triage/activate', { json: {} })).status).toBe(404);
    await expect(publishSkill(key, 'of-mine')).rejects.toThrow('NOT_FOUND');
  });

  test('reads a search of another key of its agent without the tools that it may not use', async () => {
    const free = await hub.key('twofold');
    const limited = await hub.key('twofold', 'agent', 'default', { tools: ['files/read_*'] });
    const { searchId, results } = await json(
      free.fetch('/v1/tools/search', { json: { query: 'write or read a file' } }),
    );
    expect(results.map(nameOf)).toContain('files/write_file');
    await vi.waitFor(async () => {
      const { shown } = await json(limited.fetch(`/v1/searches/${searchId}`));
      expect(shown.length).toBeGreaterThan(0);
      const foreign = shown.filter(
        ({ serverId, toolName }: Tool) => serverId !== 'hestia' && !toolName.startsWith('read_'),
      );
      expect(foreign).toEqual([]);
    });
  });

  test('sees statistics of its tools only', async () => {
    await hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} });
    await hub.operator.fetch('/v1/tools/faulty/pid/call', { json: {} });
    const names = async (key: TestKey) => (await json(key.fetch('/v1/tools/stats'))).items.map(nameOf);
    expect(await names(hub.operator)).toEqual(expect.arrayContaining(['hestia/skill_triage', 'faulty/pid']));
    const seen = await names(await limitedKey(scope));
    expect(seen).toContain('faulty/pid');
    expect(seen).not.toContain('hestia/skill_triage');
  });
});

describe('a key that may only read', () => {
  test('uses tools that say so, and changes nothing', async () => {
    const key = await limitedKey({ readOnly: true });
    const reading = everyTool.find((tool) => tool.serverId === 'files' && readOnlyTools.has(nameOf(tool)));
    expect((await answerTo(key, `files/${reading?.toolName}`)).status).not.toBe(404);
    expect((await answerTo(key, 'files/write_file')).status).toBe(404);
    expect((await answerTo(key, 'faulty/pid')).status).toBe(404);
    expect((await answerTo(key, 'hestia/skill_triage')).status).toBe(200);
    expect((await key.fetch('/v1/skills/triage/activate', { json: {} })).status).toBe(403);
    await expect(publishSkill(key, 'of-mine')).rejects.toThrow('a read-only key may not do skill.publish');
  });
});

async function refusalOf(client: AnyClient, toolName: string): Promise<unknown> {
  return client.call(toolName).then(
    () => 'answered',
    ({ message, code, data }) => ({ message, code, data }),
  );
}

describe.each(clientKinds)('over MCP, a client %s', (kind) => {
  test('with a limited key finds and calls only what the key has', async () => {
    const key = await limitedKey({ tools: ['faulty/p*', 'hestia/skill_triage'] });
    await using client = await connectClient(kind, hub, key);
    expect((await client.listTools()).filter((name) => name.startsWith('skill_'))).toEqual(['skill_triage']);
    expect((await client.call('skill_triage')).isError).toBeFalsy();
    const refusal = await refusalOf(client, 'skill_absent');
    expect(await refusalOf(client, 'skill_summary')).toEqual(refusal);
    // Progress takes the path through the SDK, where the client has it.
    await expect(client.call('skill_summary', {}, { onprogress: () => {} })).rejects.toThrow('no such tool');
    const call = (tool_name: string, server_id = 'faulty') => client.call('call_mcp_tool', { server_id, tool_name });
    expect((await call('pid')).isError).toBeFalsy();
    expect(await call('exotic')).toEqual(await call('absent_tool'));
    expect(await call('write_file', 'files')).toEqual(await call('write_file', 'absent-server'));
    const schema = await client.call('get_tool_schema', { server_id: 'faulty', tool_name: 'exotic' });
    expect(schema).toEqual(await client.call('get_tool_schema', { server_id: 'faulty', tool_name: 'absent_tool' }));
    const { structuredContent } = await client.call('list_mcp_servers');
    expect(structuredContent.servers.map((server: { server_id: string }) => server.server_id)).toEqual(['faulty']);
    const skills = (await client.call('list_skills')).structuredContent.skills;
    expect(skills).toHaveLength(1);
    const recorded = (await denials(`limited-${keysCount}`)).map(
      ({ server_id, tool_name }) => `${server_id}/${tool_name}`,
    );
    expect(recorded).toEqual(
      expect.arrayContaining(['hestia/skill_summary', 'hestia/skill_absent', 'faulty/exotic', 'files/write_file']),
    );
  });

  test('with a key that may only read has none of the tools that change state', async () => {
    await using client = await connectClient(kind, hub, await limitedKey({ readOnly: true }));
    const tools = await client.listTools();
    expect(tools).toContain('call_mcp_tool');
    for (const name of ['activate_skill', 'deactivate_skill', 'connect_mcp_server', 'disconnect_mcp_server']) {
      expect(tools).not.toContain(name);
      expect(await refusalOf(client, name)).toEqual(await refusalOf(client, 'skill_absent'));
    }
  });
});

describe('the resources of skills', () => {
  const uris = async (key: TestKey) =>
    (await rpc(key, 'resources/list', {})).result.resources.map(({ uri }: { uri: string }) => uri);
  const read = (key: TestKey, uri: string) => rpc(key, 'resources/read', { uri });

  test('are those of the skills and servers of the scope', async () => {
    const all = await uris(hub.operator);
    expect(all).toEqual(expect.arrayContaining(['skill://triage/SKILL.md', 'skill://summary/SKILL.md']));
    const key = await limitedKey({ tools: ['hestia/skill_triage'] });
    expect(await uris(key)).toEqual(['skill://triage/SKILL.md']);
    expect(await read(key, 'skill://triage/SKILL.md')).toHaveProperty('result');
    const { error } = await read(key, 'skill://summary/SKILL.md');
    expect(await denials(`limited-${keysCount}`)).toEqual([
      expect.objectContaining({ action: 'skill.read', server_id: 'hestia', tool_name: 'skill_summary' }),
    ]);
    const absent = (await read(key, 'skill://absentt/SKILL.md')).error;
    expect(JSON.stringify(error).replaceAll('summary', 'absentt')).toBe(JSON.stringify(absent));
    expect(await uris(await limitedKey({ servers: ['team/*'] }))).toEqual(
      all.filter((uri: string) => uri.startsWith('skill://team')),
    );
  });

  async function rpc(key: TestKey, method: string, params: object) {
    const response = await key.fetch('/mcp', {
      json: { jsonrpc: '2.0', id: 1, method, params },
      headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' },
    });
    const text = await response.text();
    return JSON.parse(text.startsWith('{') ? text : text.slice(text.indexOf('data: ') + 6));
  }
});

describe('a request for a key', () => {
  test.each([
    ['a scope without a limit', { scope: {} }],
    ['a tool without its server', { scope: { tools: ['read_file'] } }],
    ['an auditor with a scope', { role: 'auditor', scope: { readOnly: true } }],
    ['an operator with a scope', { role: 'operator', scope: { servers: ['files'] } }],
  ])('is refused with %s', async (_what, body) => {
    expect((await hub.operator.fetch('/v1/keys', { json: { agentId: 'refused', ...body } })).status).toBe(400);
  });
});

describe('any scope', () => {
  const globs = (...choices: string[]) => fc.uniqueArray(fc.constantFrom(...choices), { minLength: 1, maxLength: 3 });
  const scopes = fc
    .record(
      {
        servers: globs('*', 'f*', 'files', 'faulty', 'hestia', 'team/*', 'd?wn'),
        tools: globs('*/*', 'files/*', 'files/read_*', '*/p*', 'hestia/skill_*', 'hestia/skill_t*', 'faulty/e*'),
        readOnly: fc.constant(true),
      },
      { requiredKeys: [] },
    )
    .filter((scope) => Object.keys(scope).length > 0);

  /** The tools of the hub in the scope, by regular expressions and without the hub's code. */
  function allowedBy({ servers, tools, readOnly }: KeyScope): Set<string> {
    const fits = (glob: string, text: string) =>
      new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
    const names = everyTool
      .filter(({ source }) => source !== 'hub')
      .filter(({ serverId }) => servers === undefined || servers.some((glob) => fits(glob, serverId)))
      .map(nameOf);
    return new Set(
      names
        .filter((name) => tools === undefined || tools.some((glob) => fits(glob, name)))
        .filter((name) => readOnly !== true || readOnlyTools.has(name)),
    );
  }

  test('shows and calls nothing outside of it', async () => {
    await fc.assert(
      fc.asyncProperty(scopes, fc.nat(), async (scope, choice) => {
        const key = await limitedKey(scope);
        const allowed = allowedBy(scope);
        const foreign = (items: Tool[]) =>
          items.filter((tool) => tool.source !== 'hub' && !allowed.has(nameOf(tool))).map(nameOf);
        // Prompts and resources have tests of their own.
        const isTool = ({ source }: Tool) => source !== 'prompt' && source !== 'resource';
        const listed = (await json(key.fetch('/v1/tools?limit=200'))).items;
        expect(new Set(listed.filter(({ source }: Tool) => source !== 'hub').map(nameOf))).toEqual(allowed);
        for (const query of ['read a file', 'does pid', 'triage summary', 'exotic']) {
          const { results } = await json(key.fetch('/v1/tools/search', { json: { query, limit: 50 } }));
          expect(foreign(results.filter(isTool))).toEqual([]);
        }
        expect(foreign((await json(key.fetch('/v1/tools/stats'))).items)).toEqual([]);
        const outside = everyTool.filter((tool) => tool.source !== 'hub' && !allowed.has(nameOf(tool)));
        const tool = outside[choice % Math.max(1, outside.length)];
        if (tool === undefined) return;
        const path = `${encodeURIComponent(tool.serverId)}/${tool.toolName}`;
        expect((await key.fetch(`/v1/tools/${path}`)).status).toBe(404);
        expect((await answerTo(key, path)).status).toBe(404);
        const denied = (await denials(`limited-${keysCount}`)).find(({ action }) => action === 'tool.call');
        expect(denied).toMatchObject({ server_id: tool.serverId, tool_name: tool.toolName });
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
