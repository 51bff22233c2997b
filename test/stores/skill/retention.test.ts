/** What a cleanup deletes of skills, with the database of a real hub. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { json, skillText, startTestHub, type TestHub, type TestKey } from '../../support/hub/hub.ts';

const dayMs = 86_400_000;

async function publish(key: TestKey, name: string, content: string): Promise<void> {
  const body = { document: skillText(name), files: { 'data.txt': content } };
  expect((await key.fetch(`/v1/skills/${name}`, { method: 'PUT', json: body })).ok).toBe(true);
}

/** The number of files whose bytes are stored. */
function storedFiles({ config }: TestHub): number {
  const database = new DatabaseSync(config.databaseFile, { readOnly: true });
  const count = database.prepare('SELECT count(*) AS files FROM skill_blobs').get()?.files;
  database.close();
  return Number(count);
}

async function cleanUp({ operator }: TestHub): Promise<Record<string, number>> {
  return (await json(operator.fetch('/v1/scheduler/run', { method: 'POST' }))).deleted;
}

async function versions(key: TestKey, name: string): Promise<number[]> {
  const { items } = await json(key.fetch(`/v1/skills/${name}/versions`));
  return items.map(({ version }: { version: number }) => version);
}

describe('a cleanup', () => {
  test('keeps the newest versions of a skill and the active one, and deletes the bytes that no version has', async () => {
    await using hub = await startTestHub({ file: { retention: { skillVersions: 2 } } });
    const key = await hub.key('writer');
    for (const content of ['one', 'two', 'three', 'four', 'five']) {
      await publish(key, 'often-changed', content);
      if (content === 'one') await key.fetch('/v1/skills/often-changed/activate', { json: {} });
    }
    // Another skill has the bytes of a version that is deleted.
    await publish(key, 'same-bytes', 'two');
    const before = storedFiles(hub);
    expect(await cleanUp(hub)).toMatchObject({ skill_versions: 2 });
    expect(await versions(key, 'often-changed')).toEqual([1, 4, 5]);
    expect(storedFiles(hub)).toBe(before - 1);
    expect((await key.fetch('/v1/skills/same-bytes/versions/1')).status).toBe(200);
    expect(await cleanUp(hub)).toMatchObject({ skill_versions: 0 });
  });

  test('deletes the versions of deleted skills after their days', async () => {
    await using hub = await startTestHub({ file: { retention: { deletedSkillsDays: 7 } } });
    const key = await hub.key('writer');
    await publish(key, 'short-lived', 'some bytes');
    await key.fetch('/v1/skills/short-lived', { method: 'DELETE' });
    hub.advance(6 * dayMs);
    expect(await cleanUp(hub)).toMatchObject({ skill_versions: 0 });
    hub.advance(2 * dayMs);
    expect(await cleanUp(hub)).toMatchObject({ skill_versions: 1 });
    expect(storedFiles(hub)).toBe(0);
  });
});
