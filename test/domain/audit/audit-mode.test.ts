/** `policy.auditMode`: a call whose record cannot be written, in both modes. A real upstream shows whether it was called. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { json } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
import { refuseRecords } from '../../support/journal-fault.ts';
import { realServer } from '../../support/servers/real-server.ts';

let hub: ListeningHub;
let memoryFolder: string;
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(memoryFolder, { recursive: true });
});

async function start(auditMode: 'best-effort' | 'required'): Promise<void> {
  memoryFolder = await mkdtemp(join(tmpdir(), 'hestia-memory-'));
  const memory = realServer('memory', [], { MEMORY_FILE_PATH: join(memoryFolder, 'memory.jsonl') });
  const slow = realServer('everything', ['stdio']);
  hub = await startListeningHub({ file: { mcpServers: { memory, slow }, policy: { auditMode } } });
  await untilConnected(hub, 'memory', 'slow');
}

const call = (tool: string, args: object) =>
  hub.operator.fetch(`/v1/tools/memory/${tool}/call`, { json: { arguments: args } });
const remember = (name: string) => call('create_entities', { entities: [{ name, entityType: 't', observations: [] }] });
const isRemembered = async (name: string) => (await (await call('read_graph', {})).text()).includes(name);

// biome-ignore lint/suspicious/noExplicitAny: what it holds is what the test finds out
async function status(): Promise<any> {
  await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
  return (await client.call('get_mcp_hub_status')).structuredContent;
}
const gap = async () => (await status()).audit_gap;
const callsRunning = async () => (await status()).calls_running;

/** Calls a tool that takes two seconds, and lets the journal refuse records once the call is at the server. */
async function callWhoseRecordFails(): Promise<Response> {
  const slow = hub.operator.fetch('/v1/tools/slow/trigger-long-running-operation/call', {
    json: { arguments: { duration: 2, steps: 1 } },
  });
  await vi.waitFor(async () => expect(await callsRunning()).toBe(1), { timeout: 10_000, interval: 20 });
  using _refused = refuseRecords(hub.config.dataDirectory);
  return await slow;
}

describe('audit mode required', () => {
  test('refuses a call before the upstream is called if nothing can be written', async () => {
    await start('required');
    using refused = refuseRecords(hub.config.dataDirectory);
    const response = await remember('refused');
    refused[Symbol.dispose]();
    expect([response.status, await json(response)]).toMatchObject([
      503,
      { code: 'STORAGE_FAILED', detail: expect.stringContaining('the tool was not called') },
    ]);
    expect(await isRemembered('refused')).toBe(false);
  });

  test('withholds the result of a call whose record fails, and states that the tool was called', async () => {
    await start('required');
    const response = await callWhoseRecordFails();
    expect([response.status, await json(response)]).toMatchObject([
      503,
      {
        code: 'STORAGE_FAILED',
        detail: expect.stringMatching(/the tool was called and its outcome was "success".*withheld/),
      },
    ]);
    expect(await gap()).toBe(1);
  });

  test('calls tools while the database is locked, since records are in the journal', async () => {
    await start('required');
    using locker = new DatabaseSync(hub.config.databaseFile, { timeout: 5000 });
    locker.exec('BEGIN IMMEDIATE');
    expect((await remember('locked')).status).toBe(200);
  });

  test('completes a call that can be recorded', async () => {
    await start('required');
    expect((await remember('well')).status).toBe(200);
    expect(await isRemembered('well')).toBe(true);
    expect(await gap()).toBe(0);
  });
});

describe('audit mode best-effort', () => {
  test('completes a call whose record fails, counts the gap, and the hub is not ready and says why', async () => {
    await start('best-effort');
    using refused = refuseRecords(hub.config.dataDirectory);
    const response = await remember('completed');
    expect([response.status, await json(response)]).toMatchObject([200, { outcome: 'success' }]);
    const readiness = await hub.fetch('/readyz');
    expect([readiness.status, await json(readiness)]).toMatchObject([
      503,
      {
        status: 'not ready',
        dependencies: { database: { state: 'up' }, journal: { state: 'down', reason: expect.any(String) } },
      },
    ]);
    refused[Symbol.dispose]();
    expect(await isRemembered('completed')).toBe(true);
    expect(await gap()).toBe(1);
    await vi.waitFor(async () => expect((await hub.fetch('/readyz')).status).toBe(200), { timeout: 5000 });
    expect(await json(hub.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });
});
