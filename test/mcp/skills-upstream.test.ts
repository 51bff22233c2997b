/** Skills of a real upstream server, as agents of the hub get them. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { json, publishSkill } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { type ConnectedSkills, connectSkills } from '../support/hub/skills-client.ts';
import { supportServer } from '../support/servers/support-server.ts';

async function startHub(protocol = '2026-07-28'): Promise<ListeningHub> {
  const hub = await startListeningHub({ file: { mcpServers: { tutor: supportServer('skills-server.ts', protocol) } } });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  await untilConnected(hub, 'tutor');
  return hub;
}

async function connect(hub: ListeningHub): Promise<ConnectedSkills> {
  const connected = await connectSkills(hub.url, hub.operator);
  onTestFinished(() => connected[Symbol.asyncDispose]());
  return connected;
}

const uris = async ({ skills }: ConnectedSkills) => (await skills.list()).skills.map(({ uri }) => uri);
const callTool = (hub: ListeningHub, tool: string) =>
  hub.operator.fetch(`/v1/tools/tutor/${tool}/call`, { json: { arguments: {} } });

describe.each(['2025-11-25', '2026-07-28'])('a server of protocol %s that serves skills', (protocol) => {
  test('has them passed on under its name, verified from end to end, after the scan', async () => {
    const hub = await startHub(protocol);
    const { items } = await json(hub.operator.fetch('/v1/servers'));
    expect(items).toMatchObject([{ protocolVersion: protocol }]);
    const connected = await connect(hub);
    await vi.waitFor(async () => expect(await uris(connected)).toEqual(['skill://tutor/greeting/SKILL.md']), 10_000);
    const { skill } = await connected.skills.get('skill://tutor/greeting/SKILL.md');
    expect(skill.frontmatter).toEqual({ name: 'greeting', description: 'Helps with greeting.', level: 3 });
    expect((await connected.skills.read(skill)).body).toContain('Greet politely.');
    const picture = await connected.skills.read(skill, 'assets/a picture.png');
    expect([Buffer.from(picture.bytes).toString('hex'), picture.verified]).toEqual(['89504e47ff00', true]);
    const { resources } = await connected.skills.readDirectory('skill://tutor/greeting/assets');
    expect(resources).toMatchObject([{ name: 'a picture.png', size: 6 }]);
  });

  test('has a new skill passed on after its change notification', async () => {
    const hub = await startHub(protocol);
    const connected = await connect(hub);
    await vi.waitFor(async () => expect(await uris(connected)).toHaveLength(1), 10_000);
    await callTool(hub, 'add_skill');
    await vi.waitFor(async () => expect(await uris(connected)).toContain('skill://tutor/farewell/SKILL.md'), 10_000);
  });
});

describe('a server whose list has skills that cannot be read', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const file = (uri: string) => ({ uri, digest, size: 1 });
  const skill = (name: string, more: { frontmatter?: object; resources?: object[] } = {}) => ({
    uri: `skill://${name}/SKILL.md`,
    frontmatter: { name, description: 'Helps.', ...more.frontmatter },
    resources: [file(`skill://${name}/SKILL.md`), ...(more.resources ?? [])],
  });
  let deep = {};
  for (let level = 0; level < 3000; level += 1) deep = { a: deep };

  test.each([
    ['a path that is no text', skill('path', { resources: [file('skill://path/%ff')] })],
    ['a frontmatter nested 3,000 levels', skill('deep', { frontmatter: { deep } })],
  ])('for %s: the hub refuses them, and goes on', async (_what, odd) => {
    const introduction = {
      capabilities: { tools: {}, resources: {}, extensions: { 'io.modelcontextprotocol/skills': {} } },
    };
    const results = { 'skills/list': { skills: [odd], ttlMs: 0, cacheScope: 'private' } };
    const loose = supportServer('loose-server.ts', JSON.stringify({ introduction, results }));
    const hub = await startListeningHub({ file: { mcpServers: { loose } } });
    onTestFinished(() => hub[Symbol.asyncDispose]());
    const refused = () =>
      hub.logLines().filter(({ message }) => message === 'Skills of an upstream server were refused');
    await vi.waitFor(() => expect(refused()).toMatchObject([{ server_id: 'loose' }]), 30_000);
    expect((await hub.operator.fetch('/v1/tools/loose/plain/call', { json: {} })).status).toBe(200);
  });
});

describe('a poisoned skill of a server', () => {
  test('is reported, listed in the quarantine under its server, and served once it is approved', async () => {
    const hub = await startHub();
    const connected = await connect(hub);
    const uri = 'skill://tutor/poisoned/SKILL.md';
    const entries = async () => (await json(hub.operator.fetch('/v1/quarantine?kind=skill'))).items;
    await vi.waitFor(async () => expect(await entries()).toHaveLength(1), 10_000);
    const [entry] = await entries();
    expect(entry).toMatchObject({ name: 'poisoned', serverId: 'tutor', state: 'blocked' });
    expect(entry).not.toHaveProperty('namespace');
    await vi.waitFor(async () => expect(await uris(connected)).toHaveLength(1), 10_000);
    await expect(connected.skills.get(uri)).rejects.toMatchObject({ code: -32602 });
    await expect(connected.client.readResource({ uri })).rejects.toMatchObject({ code: -32602 });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SKILL_INJECTION_ATTEMPT'));
    expect(items).toMatchObject([{ fields: { server_id: 'tutor', skill_name: 'poisoned', step: 'read' } }]);
    await hub.operator.fetch(`/v1/quarantine/${entry.quarantineId}/approve`, { method: 'POST', json: {} });
    const { skill } = await connected.skills.get(uri);
    expect((await connected.skills.read(skill)).verified).toBe(true);
  });
});

describe('a skill that a server changes without a notification', () => {
  test('is not read: the file is not the one that was listed, and the failed read is recorded', async () => {
    const hub = await startHub();
    const connected = await connect(hub);
    await vi.waitFor(async () => expect(await uris(connected)).toHaveLength(1), 10_000);
    const { skill } = await connected.skills.get('skill://tutor/greeting/SKILL.md');
    await callTool(hub, 'change_greeting');
    await expect(connected.skills.read(skill)).rejects.toMatchObject({
      code: -32603,
      data: { code: 'UPSTREAM_FAILED' },
    });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SKILL_READ'));
    expect(items).toMatchObject([
      { outcome: 'error', fields: { server_id: 'tutor', file: 'SKILL.md', error_type: 'UPSTREAM_FAILED' } },
    ]);
  });
});

describe('a server that is disconnected', () => {
  test('has no skills any more', async () => {
    const hub = await startHub();
    const connected = await connect(hub);
    await vi.waitFor(async () => expect(await uris(connected)).toHaveLength(1), 10_000);
    await hub.operator.fetch('/v1/servers/tutor/disconnect', { method: 'POST', json: {} });
    await vi.waitFor(async () => expect(await uris(connected)).toEqual([]));
  });
});

describe('a server with the name of a skill', () => {
  test('is hidden by the skill in its namespace, and in no other', async () => {
    const hub = await startHub();
    const connected = await connect(hub);
    await vi.waitFor(async () => expect(await uris(connected)).toHaveLength(1), 10_000);
    await publishSkill(hub.operator, 'tutor');
    expect(await uris(connected)).toEqual(['skill://tutor/SKILL.md']);
    await expect(connected.skills.get('skill://tutor/greeting/SKILL.md')).rejects.toMatchObject({ code: -32602 });
    await using other = await connectSkills(hub.url, await hub.key('other', 'agent', 'other'));
    expect(await uris(other)).toEqual(['skill://tutor/greeting/SKILL.md']);
  });
});
