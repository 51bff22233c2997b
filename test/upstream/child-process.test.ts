/** The child process of a stdio connection: its start, its restart after a crash, and its end. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { useFakeClock } from '../support/fake-clock.ts';
import { isRunning } from '../support/is-running.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { supportServer } from '../support/servers/support-server.ts';
import {
  callFailure,
  callTool,
  connectTo,
  createTestConnection,
  quickLimits,
  statesOf,
  temporaryFile,
  textOf,
  untilState,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

const faulty = (mode = 'plain', file = '') => supportServer('faulty-server.ts', mode, file);
/** The ids of the processes that wrote them into the file. */
const pidsIn = async (file: string) => (await readFile(file, 'utf8')).trim().split('\n').map(Number);

describe('a child process that exits', () => {
  test('fails its calls, keeps its tools listed, and is restarted', async () => {
    const { connection, statuses } = await connectTo(faulty());
    const toolsCount = connection.tools().length;
    const hanging = callFailure(callTool(connection, 'hang'));
    expect((await callFailure(callTool(connection, 'die'))).errorType).toBe('connection_lost');
    expect((await hanging).errorType).toBe('connection_lost');
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connection_lost', toolsCount });
    expect(connection.status().protocolVersion).toBeUndefined();
    expect((await callFailure(callTool(connection, 'pid'))).errorType).toBe('server_unavailable');
    await untilState(connection, 'connected');
    expect(statesOf(statuses)).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect(connection.status().errorType).toBeUndefined();
    expect(textOf(await callTool(connection, 'not_json'))).toBe('after nonsense');
  });

  test('at start is restarted with increasing delays, until it stays', async () => {
    const file = await temporaryFile();
    const { connection, log } = createTestConnection(faulty('exit-until', file));
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_failed' });
    const delays = () => log.lines.flatMap(({ fields }) => fields.retry_in_ms ?? []);
    await waitFor(() => expect(delays().length).toBeGreaterThanOrEqual(4));
    expect(delays().slice(0, 4)).toEqual([20, 40, 80, 159]);
    await writeFile(file, 'stay');
    await untilState(connection, 'connected');
  });

  test('is not restarted after a disconnect', async () => {
    const { connection, statuses } = createTestConnection(
      faulty('exit'),
      quickLimits({ reconnectDelayMs: 10_000, reconnectDelayMsMax: 10_000 }),
    );
    await connection.connect();
    expect(connection.status().state).toBe('reconnecting');
    await connection.disconnect();
    expect(statesOf(statuses)).toEqual(['connecting', 'reconnecting', 'disconnected']);
  });

  test('is restarted by connect without the delay', async () => {
    const file = await temporaryFile();
    const slow = quickLimits({ reconnectDelayMs: 60_000, reconnectDelayMsMax: 60_000 });
    const { connection } = createTestConnection(faulty('exit-until', file), slow);
    await connection.connect();
    await writeFile(file, 'stay');
    await connection.connect();
    expect(connection.status().state).toBe('connected');
  });
});

describe('a child process that cannot be connected', () => {
  test('because its program does not exist reports spawn_failed with the system code', async () => {
    const { connection, log } = createTestConnection({
      command: '/no/such/program',
      args: [],
      env: {},
      autoConnect: true,
    });
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'spawn_failed' });
    expect(log.lines[0]?.fields).toMatchObject({ error_type: 'spawn_failed', system_code: 'ENOENT' });
  });

  test('because it never responds reports connect_timeout at the deadline', async () => {
    const { connection } = createTestConnection(faulty('silent'), quickLimits({ connectTimeoutMs: 600 }));
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'connect_timeout' });
  });

  test('because its tool list is invalid is retried', async () => {
    const { connection } = createTestConnection(faulty('bad-list'));
    await connection.connect();
    expect(connection.status()).toMatchObject({ state: 'reconnecting', errorType: 'list_failed' });
  });

  test('cancels the attempt in progress on disconnect', async () => {
    const { connection, statuses } = createTestConnection(faulty('silent'));
    const attempt = connection.connect();
    await connection.disconnect();
    await attempt;
    expect(statesOf(statuses)).toEqual(['connecting', 'disconnected']);
  });

  test('leaves no process running after a disconnect', async () => {
    const file = await temporaryFile();
    using clock = useFakeClock();
    const { connection } = createTestConnection(faulty('silent', file));
    const attempt = connection.connect();
    await waitFor(async () => expect(await pidsIn(file)).toHaveLength(1));
    // After the probe, which lasts for 10 s, the handshake is sent to the same process.
    await clock.advance(10_000);
    expect(await pidsIn(file)).toHaveLength(1);
    await connection.disconnect();
    await attempt;
    expect((await pidsIn(file)).filter(isRunning)).toEqual([]);
  });

  test('shows its exit code and its last lines on standard error', async () => {
    const { connection, log } = createTestConnection(faulty('exit'));
    await connection.connect();
    const { failure, retryAt } = connection.status();
    expect(failure).toEqual({ exitCode: 7, stderrLines: ['cannot find the database'] });
    expect(retryAt).toBeGreaterThan(Date.now() - 1000);
    const notConnected = log.lines.find(({ message }) => message === 'Upstream server is not connected');
    expect(notConnected?.fields).toMatchObject({ error_type: 'connect_failed', exit_code: 7 });
    expect(JSON.stringify(notConnected)).not.toContain('database');
  });

  test('because its program does not exist is retried rarely', async () => {
    const { connection, log } = createTestConnection({
      ...{ command: '/no/such/program', args: [], env: {}, autoConnect: true },
    });
    await connection.connect();
    expect(connection.status().failure).toEqual({ systemCode: 'ENOENT' });
    expect(log.lines.at(-1)?.fields.retry_in_ms).toBe(298_500);
  });
});

describe('a disconnected child process', () => {
  test('has exited, and has no tools', async () => {
    const { connection, toolChanges } = await connectTo(faulty());
    const pid = Number(textOf(await callTool(connection, 'pid')));
    const hanging = callFailure(callTool(connection, 'hang'));
    await connection.disconnect();
    await connection.disconnect();
    expect(isRunning(pid)).toBe(false);
    expect((await hanging).errorType).toBe('connection_lost');
    expect(connection.status()).toMatchObject({ state: 'disconnected', toolsCount: 0 });
    expect(toolChanges.at(-1)).toEqual({ tools: [], refused: 0 });
    expect((await callFailure(callTool(connection, 'pid'))).errorType).toBe('server_unavailable');
  });

  test('is killed after 1.8 seconds if it ignores SIGTERM', async () => {
    const { connection } = await connectTo(faulty('stubborn'));
    const pid = Number(textOf(await callTool(connection, 'pid')));
    using clock = useFakeClock();
    const disconnected = connection.disconnect();
    await clock.advance(1799);
    expect(isRunning(pid)).toBe(true);
    await clock.advance(1);
    await disconnected;
    expect(isRunning(pid)).toBe(false);
  });

  test('can be connected again', async () => {
    const { connection } = await connectTo(faulty());
    await connection.disconnect();
    await connection.connect();
    expect(connection.status().state).toBe('connected');
    expect(connection.tools().length).toBeGreaterThan(0);
  });

  test('cannot be connected after its connection is disposed of', async () => {
    const { connection } = await connectTo(faulty());
    await connection[Symbol.asyncDispose]();
    await connection.connect();
    expect(connection.status().state).toBe('disconnected');
  });
});

describe('a connection over stdio', () => {
  test('starts one process, and one for each reconnect', async () => {
    const file = await temporaryFile();
    const { connection } = await connectTo(faulty('note-start', file));
    expect(await pidsIn(file)).toHaveLength(1);
    await callFailure(callTool(connection, 'die'));
    await untilState(connection, 'connected');
    expect(await pidsIn(file)).toHaveLength(2);
    await connection.disconnect();
    expect((await pidsIn(file)).filter(isRunning)).toEqual([]);
  });

  test('starts a server that exits on the protocol probe twice, and then once for each reconnect', async () => {
    const file = await temporaryFile();
    const { connection } = await connectTo(faulty('exits-on-probe', file));
    expect(await pidsIn(file)).toHaveLength(2);
    await callFailure(callTool(connection, 'die'));
    await untilState(connection, 'connected');
    expect(await pidsIn(file)).toHaveLength(3);
  });

  test('starts a server that dies soon after each start with increasing delays', async () => {
    const file = await temporaryFile();
    const { log } = await connectTo(faulty('dies-soon', file), quickLimits({ reconnectDelayMsMax: 60_000 }));
    const delays = () => log.lines.flatMap(({ fields }) => fields.retry_in_ms ?? []);
    await waitFor(() => expect(delays().length).toBeGreaterThanOrEqual(4));
    expect(delays().slice(0, 4)).toEqual([20, 40, 80, 159]);
    expect((await pidsIn(file)).length).toBeLessThanOrEqual(5);
  });
});

/** Connects to a server that starts a process, calls the tool, and checks that no process is left after a disconnect. */
async function expectNoneLeft(mode: string, tool: string): Promise<void> {
  const file = await temporaryFile();
  const { connection } = await connectTo(faulty(mode, file));
  const pids = await pidsIn(file);
  expect(pids).toHaveLength(2);
  expect(pids.filter(isRunning)).toEqual(pids);
  // The grandchild holds the output open, which must not hide the exit of the child.
  if (tool === 'die') expect((await callFailure(callTool(connection, tool))).errorType).toBe('connection_lost');
  await connection.disconnect();
  expect(pids.filter(isRunning)).toEqual([]);
}

describe('the processes that a child process has started', () => {
  test.each([
    ['are killed with it on a disconnect', 'grandchild', 'plain'],
    ['are killed after it has exited by itself', 'grandchild', 'die'],
  ])('%s', (_title, mode, tool) => expectNoneLeft(mode, tool));
});

// Only Linux lists the processes that have left a group.
describeWith('linux', 'processes that have left the group of the child process that started them', () => {
  test('are killed with it on a disconnect', () => expectNoneLeft('detached', 'plain'));
});

describe('standard error of a child process', () => {
  test('is logged line by line, printable, truncated, and limited by the second', async () => {
    using _clock = useFakeClock();
    const { connection, log } = await connectTo(faulty());
    await callTool(connection, 'flood_stderr', { lines: 500 });
    await connection.disconnect();
    const lines = log.lines.filter(({ message }) => message === 'Upstream server wrote to standard error');
    expect(lines[0]?.fields).toEqual({ server_id: 'upstream', line: 'line 0 \\u001b[31m' });
    expect(lines).toHaveLength(20);
    const omitted = log.lines.flatMap(({ fields }) => fields.lines_left_out ?? []);
    expect(lines.length + omitted.reduce<number>((sum, count) => sum + Number(count), 0)).toBe(501);
  });
});
