/** Servers that are added, changed and removed while the hub runs, by the API, by the command line and in the file. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, type TestKey } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../../support/hub/hub-listening.ts';
import { runCommand } from '../../support/programs/command-run.ts';
import { supportServer } from '../../support/servers/support-server.ts';
import { waitFor } from '../../support/wait-for.ts';

const entry = JSON.parse(JSON.stringify(supportServer('faulty-server.ts')));

let hub: ListeningHub;
let agent: TestKey;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { kept: entry } } });
  agent = await hub.key('agent');
  await untilConnected(hub, 'kept');
});
afterAll(() => hub[Symbol.asyncDispose]());

const file = () => join(hub.folder, 'hestia.config.json');
const written = async () => JSON.parse(await readFile(file(), 'utf8'));
const add = (body: object, key = hub.operator) => key.fetch('/v1/servers', { json: body });
const change = (id: string, configuration: object, key = hub.operator) =>
  key.fetch(`/v1/servers/${encodeURIComponent(id)}`, { method: 'PATCH', json: { configuration } });
const remove = (id: string, key = hub.operator) =>
  key.fetch(`/v1/servers/${encodeURIComponent(id)}`, { method: 'DELETE' });
const serverIds = async () =>
  (await json(hub.operator.fetch('/v1/servers'))).items.map((item: { serverId: string }) => item.serverId);

/** The fields of the records of changes of a server. */
async function recorded(id: string): Promise<Record<string, unknown>[]> {
  const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SERVER_CHANGED&limit=200'));
  const fields = items.map((item: { fields: Record<string, unknown> }) => item.fields);
  return fields.filter(({ server_id }: Record<string, unknown>) => server_id === id);
}

/** The process id of the server, which stays the same as long as its connection. */
async function processOf(id: string): Promise<unknown> {
  const answer = await json(
    hub.operator.fetch(`/v1/tools/${encodeURIComponent(id)}/pid/call`, { json: { arguments: {} } }),
  );
  return answer.result;
}

describe('a server that is added by the API', () => {
  test('is written to the file, connected, found and called, and its changes are recorded', async () => {
    const keptBefore = await processOf('kept');
    const added = await add({ serverId: '@a/one', configuration: { ...entry, autoApprove: ['x'] } });
    expect(added.status).toBe(201);
    expect(await json(added)).toMatchObject({ serverId: '@a/one', transport: 'stdio' });
    await untilConnected(hub, '@a/one');
    expect((await written()).mcpServers['@a/one']).toMatchObject({ command: entry.command, autoApprove: ['x'] });
    const found = await json(agent.fetch('/v1/tools/search', { json: { query: 'pid', serverId: '@a/one' } }));
    expect(found.results[0]).toMatchObject({ serverId: '@a/one', toolName: 'pid' });

    expect(await json(change('@a/one', { disabled: true, autoApprove: null }))).toMatchObject({
      state: 'disconnected',
    });
    expect((await written()).mcpServers['@a/one']).not.toHaveProperty('autoApprove');
    expect(
      (await json(agent.fetch('/v1/tools/search', { json: { query: 'pid', serverId: '@a/one' } }))).results,
    ).toEqual([]);

    expect((await remove('@a/one')).status).toBe(204);
    expect(await serverIds()).toEqual(['kept']);
    expect(await written()).toEqual({ mcpServers: { kept: entry } });
    expect((await hub.operator.fetch('/v1/tools/%40a%2Fone/pid/call', { json: { arguments: {} } })).status).toBe(404);
    const by = { source: 'api', agent_id: 'operator', namespace: 'default', server_id: '@a/one' };
    expect(await recorded('@a/one')).toEqual([
      { ...by, change: 'added' },
      { ...by, change: 'changed' },
      { ...by, change: 'removed' },
    ]);
    expect(await processOf('kept')).toEqual(keptBefore);
  });

  test('is refused with what to write, and nothing is written', async () => {
    const before = await readFile(file(), 'utf8');
    const refused = await add({ serverId: 'two', configuration: { comand: 'x' } });
    expect(refused.status).toBe(400);
    expect(await json(refused)).toMatchObject({
      code: 'INVALID_REQUEST',
      detail: 'configuration.comand: unknown key; did you mean "command"?',
      violations: [{ field: 'configuration.comand' }],
    });
    expect((await add({ serverId: 'hestia', configuration: entry })).status).toBe(400);
    expect((await add({ serverId: 'two' })).status).toBe(400);
    expect((await add({ serverId: 'kept', configuration: entry })).status).toBe(409);
    expect(await readFile(file(), 'utf8')).toBe(before);
  });

  test('must be known to be changed or removed', async () => {
    expect((await change('nowhere', { disabled: true })).status).toBe(404);
    expect((await remove('nowhere')).status).toBe(404);
  });

  test('is for operators only', async () => {
    expect((await add({ serverId: 'three', configuration: entry }, agent)).status).toBe(403);
    expect((await change('kept', {}, agent)).status).toBe(403);
    expect((await remove('kept', agent)).status).toBe(403);
    expect(await serverIds()).toEqual(['kept']);
  });
});

describe('the configuration file', () => {
  test('is applied within seconds of a change, which is recorded, and servers without a change stay connected', async () => {
    const keptBefore = await processOf('kept');
    await writeFile(file(), JSON.stringify({ mcpServers: { kept: entry, new: entry, bad: { comand: 'x' } } }));
    await waitFor(async () => expect(await serverIds()).toEqual(['kept', 'new', 'bad']));
    await untilConnected(hub, 'new');
    expect(await recorded('new')).toEqual([
      { server_id: 'new', change: 'added', source: 'file', agent_id: 'hestia', namespace: 'default' },
    ]);
    await writeFile(file(), JSON.stringify({ mcpServers: { kept: entry, new: { ...entry, env: { A: '1' } } } }));
    await hub.hub.reload();
    expect(await serverIds()).toEqual(['kept', 'new']);
    await untilConnected(hub, 'new');
    await writeFile(file(), JSON.stringify({ mcpServers: { kept: entry } }));
    await hub.hub.reload();
    expect((await recorded('new')).map((fields) => fields.change)).toEqual(['added', 'changed', 'removed']);
    expect((await recorded('bad')).map((fields) => fields.change)).toEqual(['added', 'removed']);
    expect(await processOf('kept')).toEqual(keptBefore);
  });

  test('that is not valid changes nothing: the log says why, and the API refuses changes', async () => {
    const before = await readFile(file(), 'utf8');
    await writeFile(file(), '{ "mcpServers": { "kept": ');
    await hub.hub.reload();
    expect(await serverIds()).toEqual(['kept']);
    await waitFor(() => {
      const lines = hub.logLines().filter(({ message }) => message === 'The configuration was not reloaded');
      expect(lines.map(({ reason }) => reason)).toContainEqual(
        expect.stringMatching(/hestia\.config\.json:1:27: not valid JSON: /),
      );
    });
    const refused = await add({ serverId: 'two', configuration: entry });
    expect(refused.status).toBe(409);
    expect((await json(refused)).detail).toContain('the configuration file is not valid: ');
    expect(await readFile(file(), 'utf8')).toBe('{ "mcpServers": { "kept": ');
    await writeFile(file(), before);
  });

  test('that is missing for a moment removes no server', async () => {
    const before = await readFile(file(), 'utf8');
    await rm(file());
    await hub.hub.reload();
    expect(await serverIds()).toEqual(['kept']);
    await writeFile(file(), before);
  });

  test('keeps its comments when the API changes a server', async () => {
    await writeFile(file(), `{\n  // mine\n  "mcpServers": { "kept": ${JSON.stringify(entry)} }\n}\n`);
    expect((await add({ serverId: 'two', configuration: { ...entry, disabled: true } })).status).toBe(201);
    expect(await readFile(file(), 'utf8')).toContain('// mine');
    expect((await remove('two')).status).toBe(204);
    await writeFile(file(), JSON.stringify({ mcpServers: { kept: entry } }));
  });
});

describe('the commands of servers', () => {
  const run = (...words: string[]) =>
    runCommand(['servers', ...words.slice(0, 1), '--url', hub.url, '--key', hub.operator.secret, ...words.slice(1)]);

  test('add, list, edit and remove', async () => {
    const added = await run('add', 'cli', '--env', 'A=b=c', '--', entry.command, ...entry.args);
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await written()).mcpServers?.cli ?? {}).toMatchObject({ command: entry.command, env: { A: 'b=c' } });
    expect((await run('edit', 'cli', '{"disabled":true}')).lines()[0]).toMatchObject({ state: 'disconnected' });
    expect((await run('list')).lines().map(({ serverId }) => serverId)).toEqual(['kept', 'cli']);
    expect((await run('remove', 'cli')).lines()).toEqual([{ serverId: 'cli', removed: true }]);
    const remote = await run('add', 'web', '--endpoint', 'http://127.0.0.1:1/mcp', '--type', 'sse', '--header', 'A=b');
    expect(remote.exitCode).toBe(0);
    expect((await run('remove', 'web')).exitCode).toBe(0);
  });

  test('refuse what is neither a URL nor a program, and pass on the refusal of the hub', async () => {
    expect(await run('add', 'x')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('give either') });
    expect(await run('add', 'x', '--env', 'A', '--', 'x')).toMatchObject({ exitCode: 2 });
    expect(await run('edit', 'kept', '{"comand":"x"}')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('did you mean "command"?'),
    });
  });
});
