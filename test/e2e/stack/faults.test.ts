/**
 * Faults under load. Each test checks that every answered call is recorded, that the trail verifies, and that the hub
 * works again after the fault.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exportedRecords } from '../../support/audit-export.ts';
import { json, startTestHub } from '../../support/hub/hub.ts';
import { untilConnected } from '../../support/hub/hub-listening.ts';
import { type HubProcess, residentMiB, startHubProcess, untilServersConnected } from '../../support/hub/hub-process.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const callersAtOnce = 16;

let hub: HubProcess;
beforeAll(async () => {
  hub = await startHubProcess({
    file: {
      mcpServers: { faulty: supportServer('faulty-server.ts'), other: supportServer('faulty-server.ts') },
      limits: { callTimeoutMs: 60_000, reconnectDelayMs: 20, reconnectDelayMsMax: 200 },
    },
  });
  await hub.ready();
});
beforeEach(() => untilServersConnected(hub, 'faulty', 'other'));
afterAll(() => hub[Symbol.asyncDispose]());

interface Answer {
  status: number;
  callId: string | undefined;
  code: string | undefined;
}

async function call(server: string, tool: string, args: object = {}): Promise<Answer> {
  const response = await hub.fetch(`/v1/tools/${server}/${tool}/call`, { json: { arguments: args } });
  const { callId, code } = await json(response);
  return { status: response.status, callId, code };
}

/** Sends calls without pause, sixteen at a time, while `fault` runs, and returns all answers. */
async function underLoad(fault: () => Promise<void>, tools: readonly string[] = ['pid']): Promise<Answer[]> {
  const answers: Answer[] = [];
  let isOver = false;
  const callers = Array.from({ length: callersAtOnce }, async (_, index) => {
    const server = index % 4 === 0 ? 'other' : 'faulty';
    for (let round = 0; !isOver; round += 1) answers.push(await call(server, tools[round % tools.length] ?? 'pid'));
  });
  const untilAnsweredMore = async (count: number) => {
    const before = answers.length;
    await expect.poll(() => answers.length - before, { timeout: 60_000 }).toBeGreaterThan(count);
  };
  await untilAnsweredMore(50);
  await fault();
  await untilAnsweredMore(50);
  isOver = true;
  await Promise.all(callers);
  return answers;
}

/** Every call that was answered with an id has a record, and the trail verifies. */
async function expectRecorded(answers: readonly Answer[]): Promise<void> {
  const answered = answers.flatMap(({ callId }) => callId ?? []);
  expect(answered.length).toBeGreaterThan(50);
  const recorded = new Set((await exportedRecords(hub)).map(({ fields }) => fields.call_id));
  expect(answered.filter((callId) => !recorded.has(callId))).toEqual([]);
  expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
}

const statusesOf = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status));

describe('a killed upstream', () => {
  test('fails its own calls only, and is reconnected', async () => {
    const pidOf = async () => {
      const answer = await json(hub.fetch('/v1/tools/faulty/pid/call', { json: {} }));
      return Number(answer.result.content[0].text);
    };
    const killed = await pidOf();
    const answers = await underLoad(async () => {
      process.kill(killed, 'SIGKILL');
      await expect.poll(pidOf).not.toBe(killed);
    });
    const allowed = [undefined, 'UPSTREAM_FAILED', 'SERVER_UNAVAILABLE'];
    expect(answers.filter(({ code }) => !allowed.includes(code))).toEqual([]);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(100);
    await expectRecorded(answers);
    await untilServersConnected(hub, 'faulty');
    expect((await call('faulty', 'pid')).status).toBe(200);
  });
});

describe('an upstream that trickles, floods, answers twice or changes its tools during calls', () => {
  test('disturbs no call: each gets its own answer', async () => {
    const answers = await underLoad(async () => {
      for (const count of [30, 3, 0]) await call('faulty', 'change_tools', { count });
    }, ['pid', 'trickle', 'twice', 'flood', 'not_json']);
    expect(statusesOf(answers)).toEqual(new Set([200]));
    await expectRecorded(answers);
  });
});

describe('a full disk', () => {
  test('lets no call be answered without its record, is reported by readyz, and records are written once there is space', async () => {
    const limitFileSize = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(hub.child.pid), `--fsize=${bytes}:`]);
    const readiness = async () => (await fetch(`${hub.url}/readyz`)).status;
    const answers = await underLoad(async () => {
      limitFileSize('1');
      await expect.poll(async () => (await call('faulty', 'pid')).status).toBe(503);
      await expect.poll(readiness).toBe(503);
      limitFileSize('unlimited');
      await expect.poll(readiness).toBe(200);
    });
    expect(statusesOf(answers)).toEqual(new Set([200, 503]));
    expect(new Set(answers.filter(({ status }) => status === 503).map(({ code }) => code))).toEqual(
      new Set(['STORAGE_FAILED']),
    );
    expect(hub.child.exitCode).toBeNull();
    await expectRecorded(answers);
    expect((await call('faulty', 'pid')).status).toBe(200);
  });
});

describe('a database that another process locks', () => {
  test('disturbs no call, since records are in the journal, and is reported by readyz', async () => {
    const answers = await underLoad(async () => {
      using other = new DatabaseSync(join(hub.folder, 'data', 'hestia.db'), { timeout: 5000 });
      other.exec('BEGIN IMMEDIATE');
      await expect.poll(async () => (await fetch(`${hub.url}/readyz`)).status).toBe(503);
      other.exec('ROLLBACK');
    });
    expect(statusesOf(answers)).toEqual(new Set([200]));
    await expect.poll(async () => (await fetch(`${hub.url}/readyz`)).status).toBe(200);
    await expectRecorded(answers);
  });
});

describe('a thousand clients that connect and vanish', () => {
  const openFiles = () => readdirSync(`/proc/${hub.child.pid}/fd`).length;
  const vanish = () =>
    new Promise<void>((resolve) => {
      const socket = connect(hub.port, '127.0.0.1', () => {
        const body = JSON.stringify({ arguments: {} });
        socket.write(
          `POST /v1/tools/faulty/hang/call HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${hub.key()}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        setImmediate(() => socket.destroy());
      });
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });

  const thousandVanish = async () => {
    for (let group = 0; group < 20; group += 1) await Promise.all(Array.from({ length: 50 }, vanish));
  };

  test('leave no call, no connection and no file open, and leak no memory', async () => {
    const before = openFiles();
    await thousandVanish();
    const resident = residentMiB(hub);
    await thousandVanish();
    await expect.poll(openFiles).toBeLessThanOrEqual(before + 5);
    expect(residentMiB(hub)).toBeLessThan(resident * 1.25);
    expect((await call('faulty', 'pid')).status).toBe(200);
    expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });
});

describe('a clock that jumps back an hour', () => {
  test('breaks neither the trail, nor keys, nor the cleanup', async () => {
    await using back = await startTestHub({ file: { mcpServers: { faulty: supportServer('faulty-server.ts') } } });
    await untilConnected(back, 'faulty');
    const work = async () => {
      expect((await back.operator.fetch('/v1/tools/faulty/pid/call', { json: {} })).status).toBe(200);
      expect((await back.operator.fetch('/v1/scheduler/run', { method: 'POST' })).status).toBe(200);
    };
    await work();
    back.jumpClock(-3_600_000);
    await work();
    back.jumpClock(7_200_000);
    await work();
    expect(await json(back.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });
});
