/** Lifetimes of keys and activations, where the clock of the machine jumps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCredentialLifetimes } from '../../../src/domain/access/credential-lifetime.ts';
import { json, publishSkill, startTestHub } from '../../support/hub/hub.ts';

const dayMs = 86_400_000;

describe('the lifetime of a credential', () => {
  test('has one signal for all its requests, which aborts when it is ended or has expired', () => {
    let now = 1000;
    const lifetimes = createCredentialLifetimes(() => now);
    const key = { keyId: 'key', expiresAt: 5000 };
    const other = { keyId: 'other', expiresAt: undefined };
    const signals = [lifetimes.signal(key), lifetimes.signal(key), lifetimes.signal(other)];
    expect(signals[0]).toBe(signals[1]);
    now = 5000;
    lifetimes.endExpired();
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, false]);
    now = 1000;
    expect([lifetimes.hasEnded(key), lifetimes.signal(key).aborted]).toEqual([true, true]);
    lifetimes.end(other);
    expect(signals[2]?.aborted).toBe(true);
    expect(lifetimes.signal({ ...other, keyId: 'third' }).aborted).toBe(false);
  });
});

describe('a clock that goes back', () => {
  test('revives no key that has expired, also after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-test-'));
    let secrets: string[] = [];
    const statuses = async (hub: { fetch: (path: string, init: RequestInit) => Promise<Response> }) =>
      Promise.all(
        secrets.map(
          async (secret) => (await hub.fetch('/v1/skills', { headers: { authorization: `Bearer ${secret}` } })).status,
        ),
      );
    {
      await using hub = await startTestHub({ folder });
      const create = async (agentId: string) =>
        (await json(hub.operator.fetch('/v1/keys', { json: { agentId, expiresInDays: 1 } }))).key;
      secrets = [await create('presented'), await create('never-presented')];
      expect(await statuses({ fetch: async (path, init) => hub.fetch(path, init) })).toEqual([200, 200]);
      hub.jumpClock(2 * dayMs);
      await hub.hub.access.saveUses();
      hub.jumpClock(-2 * dayMs);
      expect(await statuses(hub)).toEqual([401, 401]);
      const failures = await json(hub.operator.fetch('/v1/audit/events?event=AUTH_FAILED'));
      expect(failures.items[0].fields.error_type).toBe('expired');
    }
    {
      await using restarted = await startTestHub({ folder });
      expect(await statuses(restarted)).toEqual([401, 401]);
    }
    await rm(folder, { recursive: true, force: true });
  });

  test('revives no activation that was seen to be over', async () => {
    await using hub = await startTestHub({ file: { scheduler: { enabled: false } } });
    const agent = await hub.key('writer');
    await publishSkill(agent, 'brief-help');
    await agent.fetch('/v1/skills/brief-help/activate', { json: { ttlSeconds: 60 } });
    const call = async () => (await agent.fetch('/v1/tools/hestia/skill_brief_help/call', { json: {} })).status;
    expect(await call()).toBe(200);
    hub.jumpClock(61_000);
    expect(await call()).toBe(404);
    hub.jumpClock(-61_000);
    expect(await call()).toBe(404);
  });
});
