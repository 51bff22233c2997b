/**
 * Who may do what, as one table: every documented operation and every MCP tool, by every role, on what is the caller's
 * own, another agent's, another namespace's or absent. A new operation is decided here or this file fails.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportedLines } from '../support/audit-export.ts';
import { json, publishSkill, type TestKey } from '../support/hub/hub.ts';
import { connectClient, type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

const roles = ['agent', 'auditor', 'operator'] as const;
type Role = (typeof roles)[number];
type ByRole<T> = Record<Role, T>;
/** What a skill is to the caller. `elsewhere`: of another namespace, which the request names. */
const relations = ['own', 'others', 'elsewhere', 'absent'] as const;
type Relation = (typeof relations)[number];

const everyone = (status: number): ByRole<number> => ({ agent: status, auditor: status, operator: status });
const operators = (status: number): ByRole<number> => ({ agent: 403, auditor: 403, operator: status });
const readers = (status: number): ByRole<number> => ({ agent: 403, auditor: status, operator: status });
const workers = (status: number): ByRole<number> => ({ agent: status, auditor: 403, operator: status });

/** Operations whose answer does not depend on whose thing it is. */
const plain: Record<string, { body?: object; query?: string; status: ByRole<number> }> = {
  'GET /livez': { status: everyone(200) },
  'GET /readyz': { status: everyone(200) },
  'GET /v1/skills': { status: everyone(200) },
  'POST /v1/tools/search': { body: { query: 'pid' }, status: everyone(200) },
  'GET /v1/searches': { status: readers(200) },
  'GET /v1/search-quality': { status: readers(200) },
  'GET /v1/searches/{searchId}': { status: everyone(404) },
  'GET /v1/tools/stats': { status: everyone(200) },
  'GET /v1/tools': { status: everyone(200) },
  'PATCH /v1/tools/{server}/{tool}': { body: { enabled: true }, status: operators(204) },
  'GET /v1/tools/{server}/{tool}': { status: everyone(200) },
  'POST /v1/tools/{server}/{tool}/call': { body: {}, status: workers(200) },
  'GET /v1/servers': { status: everyone(200) },
  'POST /v1/servers': { body: { serverId: 'faulty', configuration: {} }, status: operators(409) },
  'PATCH /v1/servers/{id}': { body: { configuration: {} }, status: operators(200) },
  'DELETE /v1/servers/{id}': { status: operators(404) },
  'POST /v1/servers/{id}/connect': { status: operators(200) },
  'POST /v1/servers/{id}/login': { body: {}, status: operators(409) },
  'GET /v1/servers/{id}/login/{loginId}': { status: operators(409) },
  'POST /v1/servers/{id}/logout': { body: {}, status: operators(409) },
  'POST /v1/servers/{id}/disconnect': { status: operators(404) },
  'GET /v1/audit/events': { status: readers(200) },
  'GET /v1/audit/verify': { status: readers(200) },
  'GET /v1/audit/export': { status: readers(200) },
  'GET /v1/audit/key': { status: readers(200) },
  'POST /v1/audit/key/rotation': { status: operators(201) },
  'GET /v1/audit/log/checkpoint': { status: readers(200) },
  'GET /v1/audit/log/tile/{level}/{index}': { status: readers(200) },
  'GET /v1/audit/log/tile/entries/{index}': { status: readers(200) },
  'GET /v1/audit/checkpoints': { status: readers(200) },
  'GET /v1/audit/consistency': { query: '?from=1', status: readers(200) },
  'GET /v1/audit/events/{seq}/proof': { status: readers(200) },
  'GET /v1/quarantine': { status: readers(200) },
  'POST /v1/quarantine/{id}/approve': { status: operators(404) },
  'POST /v1/quarantine/{id}/refuse': { body: { reason: 'not ours' }, status: operators(404) },
  'POST /v1/keys': { body: { agentId: 'someone-new' }, status: operators(201) },
  'GET /v1/keys': { status: operators(200) },
  'DELETE /v1/keys/{id}': { status: operators(404) },
  'GET /v1/status': { status: everyone(200) },
  'GET /v1/scheduler': { status: everyone(200) },
  'POST /v1/scheduler/run': { status: operators(200) },
};

/** Operations on a skill. An auditor owns none, and sees but may not change any. */
type SkillRow = {
  agent: Record<Relation, number>;
  auditor: Record<Exclude<Relation, 'own'>, number>;
  operator: Record<Relation, number>;
};
const read: SkillRow = {
  agent: { own: 200, others: 200, elsewhere: 404, absent: 404 },
  auditor: { others: 200, elsewhere: 200, absent: 404 },
  operator: { own: 200, others: 200, elsewhere: 200, absent: 404 },
};
const manage: SkillRow = {
  agent: { own: 200, others: 403, elsewhere: 404, absent: 404 },
  auditor: { others: 403, elsewhere: 403, absent: 404 },
  operator: { own: 200, others: 200, elsewhere: 200, absent: 404 },
};
const onSkill: Record<string, SkillRow> = {
  'GET /v1/skills/{name}': read,
  'GET /v1/skills/{name}/versions': read,
  'GET /v1/skills/{name}/versions/{version}': read,
  'POST /v1/skills/{name}/activate': manage,
  'POST /v1/skills/{name}/deactivate': manage,
  'DELETE /v1/skills/{name}': {
    agent: { ...manage.agent, own: 204 },
    auditor: manage.auditor,
    operator: { own: 204, others: 204, elsewhere: 204, absent: 404 },
  },
  // Publishing is always into the caller's own namespace: the operation has no parameter for another one.
  'PUT /v1/skills/{name}': {
    agent: { own: 200, others: 403, elsewhere: 400, absent: 201 },
    auditor: { others: 403, elsewhere: 400, absent: 403 },
    operator: { own: 200, others: 200, elsewhere: 400, absent: 201 },
  },
};

let hub: ListeningHub;
let keys: ByRole<TestKey> & { others: TestKey; elsewhere: TestKey };
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
  await untilConnected(hub, 'faulty');
  keys = {
    agent: await hub.key('me', 'agent'),
    auditor: await hub.key('the-auditor', 'auditor'),
    operator: await hub.key('the-operator', 'operator'),
    others: await hub.key('someone-else', 'agent'),
    elsewhere: await hub.key('far-away', 'agent', 'elsewhere'),
  };
  // Signs the records so far, so that there is a checkpoint to prove them under.
  await exportedLines(hub.operator);
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Creates a skill in this relation to the role. Returns its name. */
async function skillFor(role: Role, relation: Relation): Promise<string> {
  const name = `skill-${randomUUID().slice(0, 8)}`;
  if (relation !== 'absent') await publishSkill(keys[relation === 'own' ? role : relation], name);
  return name;
}

function request(role: Role, method: string, path: string, body?: object): Promise<Response> {
  const markdown = `---\nname: ${path.split('/')[3]?.split('?')[0]}\ndescription: Helps.\n---\n\nDo it, ${randomUUID()}.\n`;
  if (method === 'PUT') {
    return keys[role].fetch(path, { method, body: markdown, headers: { 'content-type': 'text/markdown' } });
  }
  return keys[role].fetch(path, body === undefined ? { method } : { method, json: body });
}

function skillPath(template: string, name: string): string {
  return template.replace('{name}', name).replace('{version}', '1');
}

test('the access table has a row for every documented operation', async () => {
  const { paths } = await json(hub.operator.fetch('/openapi.json'));
  const documented = Object.entries<object>(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...Object.keys(plain), ...Object.keys(onSkill)].toSorted()).toEqual(documented.toSorted());
});

describe.each(Object.entries(plain))('%s', (operation, { body, query = '', status }) => {
  const [method = '', template = ''] = operation.split(' ');
  const id =
    template.endsWith('/disconnect') || operation === 'DELETE /v1/servers/{id}'
      ? 'no-such-server'
      : /^\/v1\/(keys|quarantine)/.test(template)
        ? 'none'
        : 'faulty';
  const path = template
    .replace('{server}', 'faulty')
    .replace('{searchId}', `srch_${randomUUID()}`)
    .replace('{tool}', 'pid')
    .replace('{id}', id)
    .replace('{seq}', '1')
    .replace('{level}', '0')
    .replace('{index}', '000.p/1');
  test.each(roles)('by the role %s', async (role) => {
    const response = await request(role, method, `${path}${query}`, body);
    expect(response.status).toBe(status[role]);
    await response.arrayBuffer();
  });
});

describe.each(Object.entries(onSkill))('%s', (operation, row) => {
  const [method = '', template = ''] = operation.split(' ');
  const cases = roles.flatMap((role) =>
    Object.entries<number>(row[role]).map(([relation, status]) => [role, relation, status] as const),
  );
  test.each(cases)('by the role %s on a skill that is %s answers %d', async (role, found, status) => {
    const relation = relations.find((candidate) => candidate === found) ?? 'absent';
    const name = await skillFor(role, relation);
    const query = relation === 'elsewhere' ? '?namespace=elsewhere' : '';
    const response = await request(role, method, `${skillPath(template, name)}${query}`);
    expect(response.status).toBe(status);
  });
});

describe('a skill that an agent may not see', () => {
  test.each(Object.keys(onSkill).filter((operation) => !operation.startsWith('PUT')))(
    '%s answers as it does for what does not exist, to the letter',
    async (operation) => {
      const [method = '', template = ''] = operation.split(' ');
      const answers = await Promise.all(
        (['elsewhere', 'absent'] as const).map(async (relation) => {
          const name = await skillFor('agent', relation);
          const response = await request('agent', method, `${skillPath(template, name)}?namespace=elsewhere`);
          const { traceId: _, ...problem } = await json(response);
          return { status: response.status, headers: [...response.headers.keys()], problem };
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
    },
  );
});

describe('a request of an agent that names another namespace', () => {
  test('is recorded with the namespace that it named', async () => {
    // The first refusal of a key is recorded at once, repeated ones with their count.
    const newcomer = await hub.key('newcomer');
    await newcomer.fetch('/v1/skills/anything?namespace=elsewhere');
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=ACCESS_DENIED&agentId=newcomer'));
    expect(items.at(-1)).toMatchObject({
      agent_id: 'newcomer',
      fields: { action: 'skill.read', target_namespace: 'elsewhere', error_type: 'absent' },
    });
  });
});

/** MCP tools by role: `ok`, or the code of the error. The skill tools' names are the caller's own. */
const mcpTools: Record<string, { args: object; answers: ByRole<string> }> = {
  search_tools: { args: { query: 'pid' }, answers: { agent: 'ok', auditor: 'ok', operator: 'ok' } },
  get_tool_schema: {
    args: { server_id: 'faulty', tool_name: 'pid' },
    answers: { agent: 'ok', auditor: 'ok', operator: 'ok' },
  },
  call_mcp_tool: {
    args: { server_id: 'faulty', tool_name: 'pid', arguments: {} },
    answers: { agent: 'ok', auditor: 'FORBIDDEN', operator: 'ok' },
  },
  list_mcp_servers: { args: {}, answers: { agent: 'ok', auditor: 'ok', operator: 'ok' } },
  connect_mcp_server: {
    args: { server_id: 'faulty' },
    answers: { agent: 'FORBIDDEN', auditor: 'FORBIDDEN', operator: 'ok' },
  },
  disconnect_mcp_server: {
    args: { server_id: 'no-such-server' },
    answers: { agent: 'FORBIDDEN', auditor: 'FORBIDDEN', operator: 'NOT_FOUND' },
  },
  get_mcp_hub_status: { args: {}, answers: { agent: 'ok', auditor: 'ok', operator: 'ok' } },
  list_skills: { args: {}, answers: { agent: 'ok', auditor: 'ok', operator: 'ok' } },
  activate_skill: {
    args: { skill_name: 'of-someone-else' },
    answers: { agent: 'FORBIDDEN', auditor: 'FORBIDDEN', operator: 'ok' },
  },
  deactivate_skill: {
    args: { skill_name: 'of-someone-else' },
    answers: { agent: 'FORBIDDEN', auditor: 'FORBIDDEN', operator: 'ok' },
  },
  get_scheduler_status: { args: {}, answers: { agent: 'ok', auditor: 'ok', operator: 'ok' } },
};

describe('the MCP tools', () => {
  beforeAll(() => publishSkill(keys.others, 'of-someone-else'));

  test('all have a row in the access table', async () => {
    await using client = await connectClient('2.x, 2026-07-28', hub, keys.agent);
    const listed = (await client.listTools()).filter((name) => !name.startsWith('skill_'));
    expect(listed.toSorted()).toEqual(Object.keys(mcpTools).toSorted());
  });

  test.each(roles)('answer the role %s as the access table states', async (role) => {
    await using client = await connectClient('2.x, 2026-07-28', hub, keys[role]);
    const answers: [string, string][] = [];
    for (const [name, { args }] of Object.entries(mcpTools)) {
      const answer = await client
        .call(name, { ...args })
        .then(({ _meta }) => _meta?.['hestia/error']?.code ?? 'ok', String);
      answers.push([name, answer]);
    }
    expect(answers).toEqual(Object.entries(mcpTools).map(([name, tool]) => [name, tool.answers[role]]));
  });

  test('serve the tool of a skill in its own namespace only; elsewhere it is indistinguishable from an absent one', async () => {
    await publishSkill(keys.elsewhere, 'local');
    expect((await keys.elsewhere.fetch('/v1/skills/local/activate', { method: 'POST' })).status).toBe(200);
    const outcome = async (key: TestKey, name: string) => {
      await using client = await connectClient('2.x, 2026-07-28', hub, key);
      return await client.call(name).then(
        () => 'ok',
        (error) => `${error.code} ${error.message} ${error.data?.code}`,
      );
    };
    expect(await outcome(keys.elsewhere, 'skill_local')).toBe('ok');
    const hidden = await outcome(keys.agent, 'skill_local');
    expect(hidden).toBe(await outcome(keys.agent, 'skill_never_was'));
    expect(hidden).toContain('NOT_FOUND');
  });
});
