/** `policy.auditMode`: a call whose record cannot be written, in both modes. A real upstream shows whether it was called. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { json } from '../../support/hub/hub.ts';
import {
  connectClient,
  type ListeningHub,
  startListeningHub,
  untilConnected,
} from '../../support/hub/hub-listening.ts';
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
  hub = await startListeningHub({ file: { mcpServers: { memory }, policy: { auditMode } } });
  await untilConnected(hub, 'memory');
}

const call = (tool: string, args: object) =>
  hub.operator.fetch(`/v1/tools/memory/${tool}/call`, { json: { arguments: args } });
const remember = (name: string) => call('create_entities', { entities: [{ name, entityType: 't', observations: [] }] });
const isRemembered = async (name: string) => (await (await call('read_graph', {})).text()).includes(name);

async function gap(): Promise<unknown> {
  await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
  return (await client.call('get_mcp_hub_status')).structuredContent.audit_gap;
}

/** Lets every insert of a record fail while `work` runs, as on a full disk. */
async function whileRecordsFail<T>(work: () => Promise<T>): Promise<T> {
  using breaker = new DatabaseSync(hub.config.databaseFile, { timeout: 5000 });
  breaker.exec("CREATE TRIGGER no_record BEFORE INSERT ON audit_records BEGIN SELECT RAISE(ABORT, 'refused'); END");
  try {
    return await work();
  } finally {
    breaker.exec('DROP TRIGGER no_record');
  }
}

/** Keeps the database locked while `work` runs. */
async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  using locker = new DatabaseSync(hub.config.databaseFile, { timeout: 5000 });
  locker.exec('BEGIN IMMEDIATE');
  return await work();
}

describe('audit mode required', () => {
  test('refuses a call before the upstream is called if nothing can be written', async () => {
    await start('required');
    const response = await whileLocked(() => remember('locked'));
    expect([response.status, await json(response)]).toMatchObject([
      503,
      { code: 'STORAGE_FAILED', detail: expect.stringContaining('the tool was not called') },
    ]);
    expect(await isRemembered('locked')).toBe(false);
  });

  test('withholds the result of a call whose record fails, and states that the tool was called', async () => {
    await start('required');
    const response = await whileRecordsFail(() => remember('refused'));
    expect([response.status, await json(response)]).toMatchObject([
      503,
      {
        code: 'STORAGE_FAILED',
        detail: expect.stringMatching(/the tool was called and its outcome was "success".*withheld/),
      },
    ]);
    expect(await isRemembered('refused')).toBe(true);
    expect(await gap()).toBe(1);
  });

  test('completes a call that can be recorded', async () => {
    await start('required');
    expect((await remember('well')).status).toBe(200);
    expect(await isRemembered('well')).toBe(true);
    expect(await gap()).toBe(0);
  });
});

describe('audit mode best-effort', () => {
  test('completes a call whose record fails, and counts the gap', async () => {
    await start('best-effort');
    const response = await whileRecordsFail(() => remember('completed'));
    expect([response.status, await json(response)]).toMatchObject([200, { outcome: 'success' }]);
    expect(await isRemembered('completed')).toBe(true);
    expect(await gap()).toBe(1);
    expect(await json(hub.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });
});
