/** What an operator runs: status, doctor, configuration, servers, quarantine, scheduler, skills; on a terminal and in a pipe. */
import { chmodSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { publishSkill } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { freePort } from '../support/hub/hub-process.ts';
import { type CommandRun, type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';
import { supportServer } from '../support/servers/support-server.ts';

let hub: ListeningHub;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-operation-'));
  hub = await startListeningHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
  await untilConnected(hub, 'faulty');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command against this hub with its operator key. */
function run(words: string[], options: CommandRunOptions = {}): Promise<CommandRun> {
  return runCommand([...words, '--url', hub.url, '--key', hub.operator.secret], options);
}

const terminal = { isTerminal: true, columns: 80 };

describe('status', () => {
  test('says whether the hub is ready, in a pipe and on a terminal', async () => {
    expect((await run(['status'])).lines()).toMatchObject([{ status: 'ready', serversConnected: 1, auditGap: 0 }]);
    const { stdout } = await run(['status'], terminal);
    expect(stdout).toMatch(/^Hestia \S+ at http:\/\/127\.0\.0\.1:\d+: ready, up \d+ /);
    expect(stdout).toContain('servers    1 of 1 connected\n');
  });
});

describe('output', () => {
  test('is NDJSON with --json, also on a terminal', async () => {
    const { stdout } = await run(['servers', 'list', '--json'], terminal);
    expect(JSON.parse(stdout)).toMatchObject({ serverId: 'faulty', state: 'connected' });
  });

  test('has no colours unless the terminal has them', async () => {
    expect((await run(['servers', 'list'], terminal)).stdout).not.toContain('\u001b');
    expect((await run(['servers', 'list'], { ...terminal, hasColors: true })).stdout).toContain('\u001b[1m');
    expect((await run(['servers', 'list'], { hasColors: true })).stdout).not.toContain('\u001b');
  });

  test('fits 80 columns without cutting a figure', async () => {
    await run(['keys', 'create', 'an-agent-with-a-name-of-some-length', '--expires', '30d', '--tool', 'faulty/get_*']);
    const { stdout } = await run(['keys', 'list'], terminal);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).toContain('ends in 30 d');
    expect(stdout).not.toMatch(/\d…/);
  });

  test('of a table that cannot fit is a block of lines for each row', async () => {
    const { stdout } = await run(['keys', 'list'], { ...terminal, columns: 40 });
    expect(stdout).toMatch(/^KEY {8}[0-9a-f]{16}\nAGENT {6}\S+\n/);
  });

  test('names the nearest command or option after a mistake', async () => {
    expect((await run(['statsu'])).stderr).toContain('Did you mean status?');
    expect((await run(['servers', 'lst'])).stderr).toContain('Did you mean list?');
    expect((await run(['keys', 'list', '--jsn'])).stderr).toContain('Did you mean --json?');
  });
});

describe('servers', () => {
  test('are shown with their tools', async () => {
    const { stdout } = await run(['servers', 'show', 'faulty'], terminal);
    expect(stdout).toMatch(/^faulty {2}connected since /);
    expect(stdout).toContain('transport  stdio, MCP ');
    expect((await run(['servers', 'show', 'absent'])).stderr).toBe('hestia: there is no server absent\n');
  });

  test('are disconnected and connected', async () => {
    expect((await run(['servers', 'disconnect', 'faulty'])).lines()).toMatchObject([{ state: 'disconnected' }]);
    expect((await run(['servers', 'connect', 'faulty'])).lines()).toMatchObject([{ state: 'connected' }]);
  });
});

describe('keys', () => {
  test('expire when they should', async () => {
    const [{ expiresAt } = {}] = (await run(['keys', 'create', 'short', '--expires', '12h'])).lines();
    expect(Math.abs(Date.parse(String(expiresAt)) - Date.now() - 43_200_000)).toBeLessThan(60_000);
    const past = await run(['keys', 'create', 'short', '--expires', '2001-01-01']);
    expect(past).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('must be a time to come') });
  });
});

describe('skills', () => {
  test('are activated and deactivated by glob, and all at once', async () => {
    for (const name of ['note-one', 'note-two', 'other']) await publishSkill(hub.operator, name);
    const names = (ended: CommandRun) => ended.lines().map(({ activation }) => Object(activation).toolName);
    expect(names(await run(['skills', 'activate', 'note-*']))).toEqual(['skill_note_one', 'skill_note_two']);
    expect(names(await run(['skills', 'activate', '--all']))).toHaveLength(3);
    const ended = await run(['skills', 'deactivate', 'note-*'], terminal);
    expect(ended.stdout).toBe('note-one is no longer active\nnote-two is no longer active\n');
    expect((await run(['skills', 'deactivate', '--all'])).lines()).toHaveLength(1);
    expect(await run(['skills', 'activate', 'x*'])).toMatchObject({
      exitCode: 1,
      stderr: 'hestia: no skill matches x*\n',
    });
    expect(await run(['skills', 'activate'])).toMatchObject({
      exitCode: 2,
      stderr: 'hestia: name the skills, or give --all\n',
    });
  });

  test('are activated as far as possible where one is absent', async () => {
    const ended = await run(['skills', 'activate', 'absent', 'note-one']);
    expect(ended.lines()).toHaveLength(1);
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('1 of 2 failed; absent: ') });
  });

  test('are shown with their versions and deleted', async () => {
    expect((await run(['skills', 'versions', 'note-two'])).lines()).toMatchObject([{ version: 1 }]);
    expect((await run(['skills', 'show', 'note-two', '--version', '1'])).lines()).toMatchObject([{ version: 1 }]);
    expect((await run(['skills', 'delete', 'note-two'])).lines()).toEqual([{ name: 'note-two', deleted: true }]);
  });
});

describe('the scheduler', () => {
  test('runs a cleanup and lists it', async () => {
    expect((await run(['scheduler', 'run'])).lines()).toMatchObject([{ failedParts: [] }]);
    const [last] = (await run(['scheduler', 'runs'])).lines();
    expect(last).toMatchObject({ event: 'SCHEDULER_CLEANUP_SUCCESS', agent_id: 'operator' });
    expect((await run(['scheduler', 'status'], terminal)).stdout).toContain('last cleanup ');
  });
});

describe('statistics of tools', () => {
  test('have a period, percentiles, and errors by type, and fit 80 columns', async () => {
    await run(['tools', 'call', 'faulty', 'pid']);
    await run(['tools', 'call', 'faulty', 'pid', '{"unknown": 1}', '--timeout-ms', '60000']);
    const [pid] = (await run(['tools', 'stats', '--since', '1h'])).lines();
    expect(pid).toMatchObject({ toolName: 'pid', errorTypes: expect.any(Object), latencyMsP50: expect.any(Number) });
    expect((await run(['tools', 'stats', '--until', '1h'])).lines()).toEqual([]);
    const { stdout } = await run(['tools', 'stats'], terminal);
    expect(stdout).toMatch(/^SERVER {2,}TOOL {2,}CALLS {2}FAILED {2}P50 ms {2,}P95 {2,}P99 {2}LAST {2,}ERRORS\n/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(await run(['tools', 'stats', '--since', 'yesterday'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('since: '),
    });
  });
});

describe('config check', () => {
  const check = (file: object, options: CommandRunOptions = {}) => {
    const path = join(folder, 'hestia.config.json');
    writeFileSync(path, JSON.stringify(file));
    return runCommand(['config', 'check', path], options);
  };

  test('accepts a file and names what is ignored', async () => {
    const ended = await check({ mcpServers: { a: { command: 'true', autoApprove: [] } } });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.lines()).toMatchObject([{ servers: ['a'], warnings: [expect.stringContaining('autoApprove')] }]);
  });

  test('fails for what would stop a start, and for a misconfigured server', async () => {
    expect(await check({ retentio: {} })).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('retentio') });
    expect(await check({ mcpServers: { a: { comand: 'true' } } })).toMatchObject({
      exitCode: 1,
      stderr: 'hestia: 1 servers are misconfigured\n',
    });
  });
});

describe('doctor', () => {
  /** Runs the doctor with a configuration, a data directory and an environment. */
  const examine = (file: object, environment: Record<string, string> = {}, url = hub.url) => {
    const path = join(folder, 'doctor.json');
    writeFileSync(path, JSON.stringify(file));
    const all = { HESTIA_CONFIG: path, HESTIA_DATA_DIR: folder, OTEL_SDK_DISABLED: 'true', ...environment };
    const configuration = () => ({ file: path, config: loadConfig({ environment: all, workingDirectory: folder }) });
    const words = ['doctor', '--url', url, '--key', hub.operator.secret];
    return runCommand(words, { configuration, environment: all });
  };
  const finding = (ended: CommandRun, check: string) => ended.lines().find((line) => line.check === check);

  test('finds nothing to mend where nothing is wrong', async () => {
    const ended = await examine({});
    expect(ended.lines().filter(({ state }) => state === 'failed')).toEqual([]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(finding(ended, 'server faulty')).toMatchObject({ state: 'ok' });
  });

  test.each([
    ['configuration', 'retentio', () => examine({ retentio: {} })],
    [
      'server gone',
      'no-such-program is not found',
      () => examine({ mcpServers: { gone: { command: 'no-such-program' } } }),
    ],
    ['hub', 'no hub answers', async () => examine({}, {}, `http://127.0.0.1:${await freePort()}`)],
    [
      'collector traces',
      'cannot be reached (ECONNREFUSED)',
      async () =>
        examine(
          {},
          { OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
        ),
    ],
    [
      'permissions',
      'others may read',
      () => {
        writeFileSync(join(folder, 'operator.key'), '');
        chmodSync(join(folder, 'operator.key'), 0o644);
        return examine({});
      },
    ],
  ])('finds what is wrong with %s, and says what mends it', async (check, found, examined) => {
    const ended = await examined();
    expect(ended.exitCode).toBe(1);
    expect(finding(ended, check)).toMatchObject({
      state: 'failed',
      found: expect.stringContaining(found),
      mend: expect.any(String),
    });
    chmodSync(folder, 0o700);
    await rm(join(folder, 'operator.key'), { force: true });
  });

  test('sends a collector an empty export of each signal', async () => {
    const received: string[] = [];
    const collector = createServer((request, response) => {
      received.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.writeHead(200).end();
    });
    const port = await freePort();
    await new Promise<void>((resolve) => collector.listen(port, '127.0.0.1', resolve));
    const environment = {
      OTEL_SDK_DISABLED: 'false',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
    };
    const ended = await examine({}, environment);
    expect(finding(ended, 'collector logs')).toMatchObject({ state: 'ok' });
    const posted = ['logs', 'metrics', 'traces'].map((signal) => `POST /v1/${signal} Bearer x`);
    expect(received.toSorted()).toEqual(posted);
    collector.close();
  });
});
