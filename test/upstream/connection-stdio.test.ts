/** Connections to a child process that misbehaves: what the caller is told, what the child is told, what is left. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  quickLimits,
  textOf,
  until,
  type Watched,
  watchedConnection,
} from '../support/servers/upstream-connection.ts';

const owned: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(owned.splice(0).map((owner) => owner[Symbol.asyncDispose]()));
});

function faulty(mode = 'plain', limits?: Config['limits'], file = ''): Watched {
  const watched = watchedConnection(supportServer('faulty-server.ts', mode, file), limits);
  owned.push(watched.connection);
  return watched;
}

async function connected(mode?: string, limits?: Config['limits'], file?: string): Promise<Watched> {
  const watched = faulty(mode, limits, file);
  await watched.connection.connect();
  expect(watched.connection.status().state).toBe('connected');
  return watched;
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-'));
  owned.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) });
  return join(folder, 'file');
}

describe('a connected child', () => {
  test('reports its states, its protocol and its tools', async () => {
    const { connection, statuses, changes } = await connected();
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected']);
    expect(connection.status()).toMatchObject({
      serverId: 'upstream',
      transport: 'stdio',
      protocolVersion: '2025-11-25',
      toolsRefusedCount: 0,
    });
    expect(connection.status().errorType).toBeUndefined();
    expect(changes).toHaveLength(1);
    expect(connection.tools()[0]).toEqual({
      serverId: 'upstream',
      toolName: 'hang',
      title: undefined,
      description: 'Does hang.',
      inputSchema: { type: 'object' },
      outputSchema: undefined,
      annotations: undefined,
    });
  });

  test('may speak the oldest protocol', async () => {
    const { connection } = await connected('old');
    expect(connection.status().protocolVersion).toBe('2024-11-05');
  });

  test('connects once, however often it is told to', async () => {
    const { connection, statuses } = faulty();
    await Promise.all([connection.connect(), connection.connect()]);
    await connection.connect();
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected']);
  });

  test('gets the environment that is configured and the safe defaults, nothing else', async () => {
    const configuration = { ...supportServer('faulty-server.ts'), env: { CONFIGURED: 'yes' } };
    process.env.HESTIA_TEST_SECRET = 'no';
    const { connection } = watchedConnection(configuration);
    owned.push(connection);
    await connection.connect();
    const environment = JSON.parse(textOf(await callTool(connection, 'environment')));
    expect(environment).toHaveProperty('CONFIGURED', 'yes');
    const allowed = ['CONFIGURED', 'HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'];
    expect(Object.keys(environment).filter((name) => !allowed.includes(name))).toEqual([]);
  });

  test('gets the meta it was given', async () => {
    const { connection } = await connected();
    const meta = { traceparent: '00-11111111111111111111111111111111-2222222222222222-01', 'example.com/a': [1] };
    const answer = JSON.parse(textOf(await callTool(connection, 'meta', {}, { meta })));
    expect(answer).toEqual(meta);
  });
});

describe('a result', () => {
  test('comes through intact, unknown kinds and fields of content included', async () => {
    const { connection } = await connected();
    expect(await callTool(connection, 'exotic')).toEqual({
      content: [
        {
          type: 'text',
          text: 'a',
          annotations: { audience: ['user'], own: 1 },
          _meta: { block: true },
          unknownField: 'kept',
        },
        { type: 'resource_link', uri: 'file:///a', name: 'a', size: 3, unknownField: 'kept' },
        { type: 'hologram', data: 'unknown kind' },
      ],
      structuredContent: { a: [1, { b: null }], ü: 'ü' },
      isError: false,
      meta: { 'example.com/trace': 'kept' },
    });
  });

  test('of 20 MiB fails that call, and no other', async () => {
    const { connection, statuses } = await connected();
    const huge = callFailure(callTool(connection, 'huge', { bytes: 20_971_520 }));
    const other = callTool(connection, 'pid');
    expect((await huge).errorType).toBe('response_too_large');
    const pid = textOf(await other);
    expect(textOf(await callTool(connection, 'pid'))).toBe(pid);
    expect(statuses).toHaveLength(2);
  });

  test('is measured in bytes of its JSON, to the byte', async () => {
    const { connection } = await connected('plain', quickLimits({ responseBytesMax: 4096 }));
    const surrounding = JSON.stringify({ content: [{ type: 'text', text: '' }] }).length;
    const fitting = await callTool(connection, 'huge', { bytes: 4096 - surrounding });
    expect(textOf(fitting)).toHaveLength(4096 - surrounding);
    const over = await callFailure(callTool(connection, 'huge', { bytes: 4097 - surrounding }));
    expect(over.errorType).toBe('response_too_large');
  });

  test('nested so deep that it could not be written again is refused', async () => {
    const { connection } = await connected();
    expect((await callFailure(callTool(connection, 'deep'))).errorType).toBe('invalid_response');
    expect(connection.status().state).toBe('connected');
  });

  test('that is not a result is refused', async () => {
    const { connection } = await connected();
    expect((await callFailure(callTool(connection, 'bad_shape'))).errorType).toBe('invalid_response');
  });

  test.each(['not_json', 'not_rpc'])('is found among nonsense (%s)', async (toolName) => {
    const { connection } = await connected();
    expect(textOf(await callTool(connection, toolName))).toBe('after nonsense');
  });

  test('that is a JSON-RPC error fails with its code and none of its text', async () => {
    const { connection, log } = await connected();
    const error = await callFailure(callTool(connection, 'rpc_error'));
    expect(error).toMatchObject({ errorType: 'upstream_error', jsonRpcCode: -32_050 });
    expect(error.cause).toBeUndefined();
    const everything = JSON.stringify([error.message, error.stack, { ...error }, log.lines]);
    expect(everything).not.toContain('secret-token');
  });
});

describe('a call that hangs', () => {
  test('ends when its signal aborts, and the server is told', async () => {
    const { connection } = await connected();
    const controller = new AbortController();
    const hanging = callFailure(callTool(connection, 'hang', {}, { signal: controller.signal }));
    await callTool(connection, 'pid');
    controller.abort(new Error('deadline'));
    expect((await hanging).errorType).toBe('cancelled');
    const told = JSON.parse(textOf(await callTool(connection, 'cancelled')));
    expect(told).toEqual([{ requestId: expect.any(Number), reason: 'Error: deadline' }]);
  });

  test('with a signal that has aborted already is not sent', async () => {
    const { connection } = await connected();
    expect((await callFailure(callTool(connection, 'die', {}, { signal: AbortSignal.abort() }))).errorType).toBe(
      'cancelled',
    );
    expect(textOf(await callTool(connection, 'cancelled'))).toBe('[]');
  });
});

describe('a list of tools', () => {
  test('keeps the good ones, the first of each name, and counts the rest', async () => {
    const { connection, log, changes } = await connected('broken-list');
    const names = connection.tools().map(({ toolName }) => toolName);
    expect(names.filter((name) => name === 'twin')).toHaveLength(1);
    expect(connection.tools()[0]).toMatchObject({ toolName: 'twin', description: 'Does twin.' });
    expect(names).toContain('hang');
    expect(names).not.toContain('no_schema');
    expect(connection.status().toolsRefusedCount).toBe(7);
    expect(changes[0]?.refused).toBe(7);
    expect(log.lines.find(({ message }) => /refused/.test(message))?.fields).toEqual({
      server_id: 'upstream',
      broken_count: 6,
      duplicate_count: 1,
      over_limit_count: 0,
    });
  });

  test('that never ends is cut at the limit', async () => {
    const { connection } = await connected('endless-pages', quickLimits({ toolsPerServerMax: 25 }));
    expect(connection.tools()).toHaveLength(25);
    expect(connection.status().toolsRefusedCount).toBeGreaterThan(0);
  });

  test('is followed when the server says it changed', async () => {
    const { connection, changes } = await connected();
    const before = connection.tools().length;
    await callTool(connection, 'change_tools', { count: 3 });
    await until(() => expect(connection.tools()).toHaveLength(before + 3));
    await callTool(connection, 'change_tools', { count: 0 });
    await until(() => expect(connection.tools()).toHaveLength(before));
    expect(changes).toHaveLength(3);
  });

  test('is fetched once for many announcements, and unchanged it is not told again', async () => {
    const file = await temporaryFile();
    const { connection, changes } = await connected('count-lists', quickLimits(), file);
    await callTool(connection, 'announce_often');
    await until(async () => expect(await readFile(file, 'utf8')).toBe('2'));
    await callTool(connection, 'pid');
    expect(await readFile(file, 'utf8')).toBe('2');
    expect(changes).toHaveLength(1);
  });
});
