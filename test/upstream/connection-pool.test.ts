/** Many connections: each stands alone. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import type { ServerStatus } from '../../src/shapes/server.ts';
import { createConnectionPool } from '../../src/upstream/connection-pool.ts';
import { isRunning } from '../support/is-running.ts';
import { httpServer, supportServer } from '../support/servers/support-server.ts';
import { callTool, createMemoryLog, quickLimits, textOf, until } from '../support/servers/upstream-connection.ts';

const owned: AsyncDisposable[] = [];
afterEach(async () => {
  for (const owner of owned.splice(0)) await owner[Symbol.asyncDispose]();
});

function pooled(servers: Config['servers']) {
  const toolsCounts = new Map<string, number>();
  const statuses: ServerStatus[] = [];
  const pool = createConnectionPool({
    servers,
    limits: quickLimits(),
    clientVersion: '0.0.0',
    log: createMemoryLog(),
    onToolsChanged: (serverId, tools) => toolsCounts.set(serverId, tools.length),
    onStateChanged: (status) => statuses.push(status),
  });
  owned.push(pool);
  return { pool, toolsCounts, statuses };
}

describe('a pool', () => {
  test('connects what is to be connected, whatever the others do', async () => {
    const { pool, toolsCounts } = pooled({
      silent: supportServer('faulty-server.ts', 'silent'),
      absent: httpServer('http://127.0.0.1:1/mcp'),
      good: supportServer('faulty-server.ts'),
      manual: { ...supportServer('faulty-server.ts'), autoConnect: false },
    });
    pool.start();
    expect(pool.list().map(({ serverId, state }) => [serverId, state])).toEqual([
      ['silent', 'connecting'],
      ['absent', 'connecting'],
      ['good', 'connecting'],
      ['manual', 'disconnected'],
    ]);
    await until(() => expect(pool.find('good')?.status().state).toBe('connected'));
    expect([...toolsCounts.keys()]).toEqual(['good']);
    await until(() => expect(pool.find('absent')?.status().state).toBe('reconnecting'));
    expect(pool.find('silent')?.status().state).toBe('connecting');
    expect(pool.find('manual')?.status().state).toBe('disconnected');
    await pool.find('manual')?.connect();
    expect(pool.find('manual')?.status().state).toBe('connected');
  });

  test('knows no server that is not configured', () => {
    const { pool } = pooled({ good: supportServer('faulty-server.ts') });
    expect(pool.find('other')).toBeUndefined();
    expect(pool.find('constructor')).toBeUndefined();
  });

  test('ends all at once, the stubborn too, within three seconds', async () => {
    const { pool, statuses } = pooled({
      stubborn: supportServer('faulty-server.ts', 'stubborn'),
      obstinate: supportServer('faulty-server.ts', 'stubborn'),
      silent: supportServer('faulty-server.ts', 'silent'),
    });
    pool.start();
    const pids: number[] = [];
    for (const serverId of ['stubborn', 'obstinate']) {
      const connection = pool.find(serverId);
      if (connection === undefined) throw new Error('the pool has lost a server');
      await connection.connect();
      pids.push(Number(textOf(await callTool(connection, 'pid'))));
    }
    const before = performance.now();
    await pool[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(3000);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(statuses.slice(-3).map(({ state }) => state)).toEqual(['disconnected', 'disconnected', 'disconnected']);
  });
});
