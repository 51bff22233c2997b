/** The connection pool: independent connections, closed in parallel. */
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/shapes/configuration/config.ts';
import { inheritedEnvironment, type ServerStatus } from '../../src/shapes/server.ts';
import { createConnectionPool } from '../../src/upstream/connection-pool.ts';
import { useFakeClock } from '../support/fake-clock.ts';
import { isRunning } from '../support/is-running.ts';
import { httpServer, supportServer } from '../support/servers/support-server.ts';
import {
  callTool,
  createMemoryLog,
  disposeAfterTest,
  quickLimits,
  statesOf,
  textOf,
} from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

function createTestPool(servers: Config['servers']) {
  const toolsCounts = new Map<string, number>();
  const statuses: ServerStatus[] = [];
  const pool = disposeAfterTest(
    createConnectionPool({
      servers,
      environment: inheritedEnvironment(process.env),
      limits: quickLimits(),
      clientVersion: '0.0.0',
      log: createMemoryLog(),
      onToolsChanged: (serverId, tools) => toolsCounts.set(serverId, tools.length),
      onStateChanged: (status) => statuses.push(status),
    }),
  );
  return { pool, toolsCounts, statuses };
}

describe('a connection pool', () => {
  test('connects each server with autoConnect, also when others fail', async () => {
    const { pool, toolsCounts } = createTestPool({
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
    await waitFor(() => expect(pool.find('good')?.status().state).toBe('connected'));
    expect([...toolsCounts.keys()]).toEqual(['good']);
    await waitFor(() => expect(pool.find('absent')?.status().state).toBe('reconnecting'));
    expect(pool.find('silent')?.status().state).toBe('connecting');
    expect(pool.find('manual')?.status().state).toBe('disconnected');
    await pool.find('manual')?.connect();
    expect(pool.find('manual')?.status().state).toBe('connected');
  });

  test('finds no server that is not configured', () => {
    const { pool } = createTestPool({ good: supportServer('faulty-server.ts') });
    expect(pool.find('other')).toBeUndefined();
    expect(pool.find('constructor')).toBeUndefined();
  });

  test('closes its connections in parallel, 1.8 seconds for those that ignore SIGTERM', async () => {
    const { pool, statuses } = createTestPool({
      stubborn: supportServer('faulty-server.ts', 'stubborn'),
      obstinate: supportServer('faulty-server.ts', 'stubborn'),
      silent: supportServer('faulty-server.ts', 'silent'),
    });
    pool.start();
    const pids: number[] = [];
    for (const serverId of ['stubborn', 'obstinate']) {
      const connection = pool.find(serverId);
      if (connection === undefined) throw new Error('the pool has no such server');
      await connection.connect();
      pids.push(Number(textOf(await callTool(connection, 'pid'))));
    }
    using clock = useFakeClock();
    const disposed = pool[Symbol.asyncDispose]();
    await clock.advance(1800);
    await disposed;
    expect(pids.filter(isRunning)).toEqual([]);
    expect(statesOf(statuses.slice(-3))).toEqual(['disconnected', 'disconnected', 'disconnected']);
  });
});
