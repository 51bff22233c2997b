/** The life of a child process behind a connection: how it is started, dies, is started again, and ends. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { isRunning } from '../support/is-running.ts';
import { supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  quickLimits,
  textOf,
  until,
  untilState,
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

describe('a child that dies', () => {
  test('fails its calls, keeps its tools in view, and is started again', async () => {
    const { connection, statuses } = await connected();
    const toolsCount = connection.tools().length;
    const hanging = callFailure(callTool(connection, 'hang'));
    expect((await callFailure(callTool(connection, 'die'))).errorType).toBe('connection_lost');
    expect((await hanging).errorType).toBe('connection_lost');
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connection_lost', toolsCount });
    expect(connection.status().protocolVersion).toBeUndefined();
    expect((await callFailure(callTool(connection, 'pid'))).errorType).toBe('server_unavailable');
    await untilState(connection, 'connected');
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect(connection.status().errorType).toBeUndefined();
    expect(textOf(await callTool(connection, 'not_json'))).toBe('after nonsense');
  });

  test('at once is tried again with growing waits, and is connected when it stays', async () => {
    const file = await temporaryFile();
    const { connection, log } = faulty('exit-until', quickLimits(), file);
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_failed' });
    const waits = () => log.lines.flatMap(({ fields }) => fields.retry_in_ms ?? []);
    await until(() => expect(waits().length).toBeGreaterThanOrEqual(4));
    expect(waits().slice(0, 4)).toEqual([20, 40, 80, 159]);
    await writeFile(file, 'stay');
    await untilState(connection, 'connected');
  });

  test('is not started again once it is to be disconnected', async () => {
    const { connection, statuses } = faulty(
      'exit',
      quickLimits({ reconnectDelayMs: 10_000, reconnectDelayMsMax: 10_000 }),
    );
    await connection.connect();
    expect(connection.status().state).toBe('reconnecting');
    await connection.disconnect();
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'reconnecting', 'disconnected']);
  });

  test('and waits to be started again is started now when told to connect', async () => {
    const file = await temporaryFile();
    const slow = quickLimits({ reconnectDelayMs: 60_000, reconnectDelayMsMax: 60_000 });
    const { connection } = faulty('exit-until', slow, file);
    await connection.connect();
    await writeFile(file, 'stay');
    await connection.connect();
    expect(connection.status().state).toBe('connected');
  });
});

describe('a child that cannot be connected', () => {
  test('because there is no such program, says so', async () => {
    const { connection, log } = watchedConnection({
      command: '/no/such/program',
      args: [],
      env: {},
      autoConnect: true,
    });
    owned.push(connection);
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'spawn_failed' });
    expect(log.lines[0]?.fields).toMatchObject({ error_type: 'spawn_failed', system_code: 'ENOENT' });
  });

  test('because it never answers, is given up at the deadline', async () => {
    const { connection } = faulty('silent', quickLimits({ connectTimeoutMs: 600 }));
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_timeout' });
  });

  test('because its list is nonsense, is tried again', async () => {
    const { connection } = faulty('bad-list');
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'list_failed' });
  });

  test('leaves an attempt under way when told to disconnect', async () => {
    const { connection, statuses } = faulty('silent', quickLimits({ connectTimeoutMs: 60_000 }));
    const attempt = connection.connect();
    await connection.disconnect();
    await attempt;
    expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'disconnected']);
  });

  test('leaves no process behind when told to disconnect', async () => {
    const file = await temporaryFile();
    const { connection } = faulty('silent', quickLimits({ connectTimeoutMs: 6000 }), file);
    const attempt = connection.connect();
    const started = async () => (await readFile(file, 'utf8')).trim().split('\n').map(Number);
    // The first is the one that is asked for its protocol, for a third of the deadline.
    await until(async () => expect(await started()).toHaveLength(2));
    await connection.disconnect();
    await attempt;
    expect((await started()).filter(isRunning)).toEqual([]);
  });
});

describe('a disconnected child', () => {
  test('is gone, and so are its tools', async () => {
    const { connection, changes } = await connected();
    const pid = Number(textOf(await callTool(connection, 'pid')));
    const hanging = callFailure(callTool(connection, 'hang'));
    await connection.disconnect();
    await connection.disconnect();
    expect(isRunning(pid)).toBe(false);
    expect((await hanging).errorType).toBe('connection_lost');
    expect(connection.status()).toMatchObject({ state: 'disconnected', toolsCount: 0 });
    expect(changes.at(-1)).toEqual({ tools: [], refused: 0 });
    expect((await callFailure(callTool(connection, 'pid'))).errorType).toBe('server_unavailable');
  });

  test('is killed where it does not want to leave, within two and a half seconds', async () => {
    const { connection } = await connected('stubborn');
    const pid = Number(textOf(await callTool(connection, 'pid')));
    const before = performance.now();
    await connection.disconnect();
    expect(performance.now() - before).toBeLessThan(2500);
    expect(isRunning(pid)).toBe(false);
  });

  test('can be connected again', async () => {
    const { connection } = await connected();
    await connection.disconnect();
    await connection.connect();
    expect(connection.status().state).toBe('connected');
    expect(connection.tools().length).toBeGreaterThan(0);
  });

  test('stays so once it is disposed of', async () => {
    const { connection } = await connected();
    await connection[Symbol.asyncDispose]();
    await connection.connect();
    expect(connection.status().state).toBe('disconnected');
  });
});

describe('the processes of a connection', () => {
  test('are one, besides a short-lived one that is asked for its protocol before the first', async () => {
    const file = await temporaryFile();
    const { connection } = await connected('note-start', quickLimits(), file);
    const started = async () => (await readFile(file, 'utf8')).trim().split('\n').map(Number);
    expect(await started()).toHaveLength(2);
    expect((await started()).filter(isRunning)).toHaveLength(1);
    await callFailure(callTool(connection, 'die'));
    await untilState(connection, 'connected');
    expect(await started()).toHaveLength(3);
    await connection.disconnect();
    expect((await started()).filter(isRunning)).toEqual([]);
  });
});

describe('standard error', () => {
  test('goes to the log line by line, printable, cut, and limited by the second', async () => {
    const { connection, log } = await connected();
    await callTool(connection, 'flood_stderr', { lines: 500 });
    await connection.disconnect();
    const lines = log.lines.filter(({ message }) => message === 'Upstream server wrote to standard error');
    expect(lines[0]?.fields).toEqual({ server_id: 'upstream', line: 'line 0 \\u001b[31m' });
    expect(lines.length).toBeLessThanOrEqual(20);
    const leftOut = log.lines.flatMap(({ fields }) => fields.lines_left_out ?? []);
    expect(lines.length + leftOut.reduce<number>((sum, count) => sum + Number(count), 0)).toBe(501);
  });
});
