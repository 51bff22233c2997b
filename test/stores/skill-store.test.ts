import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Activation, Skill, SkillVersion } from '../../src/shapes/skill.ts';
import { createSkillStore, type SkillStore } from '../../src/stores/skill-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let skills: SkillStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  skills = createSkillStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const skill = (name: string, namespace = 'default', skillId = `${namespace}-${name}`): Skill => ({
  skillId,
  namespace,
  name,
  ownerAgentId: 'owner',
  source: 'published',
  latestVersion: 1,
  description: 'First.',
  createdAt: 1,
  updatedAt: 1,
});
const version = (skillId: string, number: number): SkillVersion => ({
  skillId,
  version: number,
  publishedBy: 'owner',
  createdAt: number,
  document: {
    frontmatter: { name: 'a', description: `Version ${number}.`, metadata: { key: 'value' }, allowedTools: ['Read'] },
    attributes: JSON.parse('{"name":"a","version":1.5,"__proto__":"kept"}'),
    source: '\ufeff---\r\nname: a\r\n---\r\nDo it.',
    instructions: 'Do it.',
    warnings: [{ field: 'name', message: 'must be other' }],
    files: [
      { path: 'b.bin', content: '/wD+', encoding: 'base64' },
      { path: 'a.md', content: 'ü', encoding: 'utf-8' },
    ],
    digest: `digest-${number}`,
  },
});
const activation = (skillId: string, changes: Partial<Activation> = {}): Activation => ({
  activationId: `act-${skillId}`,
  skillId,
  skillName: 'a',
  namespace: 'default',
  agentId: 'owner',
  version: 1,
  toolName: 'skill_a',
  registered: true,
  activatedAt: 1,
  expiresAt: undefined,
  ...changes,
});

const insert = (item: Skill) =>
  store.database.transaction(async (tx) => {
    await skills.insertSkill(tx, item);
    await skills.insertVersion(tx, version(item.skillId, 1));
  });

describe('a skill', () => {
  test('keeps every version complete, and shows the latest one', async () => {
    await insert(skill('a'));
    await store.database.transaction((tx) => skills.insertVersion(tx, version('default-a', 2)));
    expect(await skills.findSkill({ namespace: 'default', name: 'a' })).toMatchObject({
      latestVersion: 2,
      description: 'Version 2.',
      updatedAt: 2,
    });
    expect(await skills.findVersion('default-a', 1)).toEqual(version('default-a', 1));
    expect(await skills.listVersions('default-a', { limit: 10 })).toEqual([
      { skillId: 'default-a', version: 1, digest: 'digest-1', publishedBy: 'owner', createdAt: 1 },
      { skillId: 'default-a', version: 2, digest: 'digest-2', publishedBy: 'owner', createdAt: 2 },
    ]);
  });

  test('has a unique name in its namespace, which deleting it frees', async () => {
    await insert(skill('a'));
    await insert(skill('a', 'other'));
    await expect(insert(skill('a', 'default', 'second'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await store.database.transaction((tx) => skills.deleteSkill(tx, 'default-a', 5))).toBe(true);
    expect(await store.database.transaction((tx) => skills.deleteSkill(tx, 'default-a', 5))).toBe(false);
    expect(await skills.findSkill({ namespace: 'default', name: 'a' })).toBeUndefined();
    await insert(skill('a', 'default', 'second'));
    expect(await skills.findSkill({ namespace: 'default', name: 'a' })).toMatchObject({ skillId: 'second' });
    expect(await skills.findVersion('default-a', 1)).toBeDefined();
  });

  test('is listed in pages, ordered by namespace and name', async () => {
    for (const [name, namespace] of [
      ['b', 'x'],
      ['a', 'x'],
      ['a', 'y'],
    ] as const)
      await insert(skill(name, namespace));
    const list = async (page: object) =>
      (await skills.listSkills({ limit: 10, ...page })).map((item) => `${item.namespace}/${item.name}`);
    expect(await list({})).toEqual(['x/a', 'x/b', 'y/a']);
    expect(await list({ namespace: 'x', after: 'a' })).toEqual(['x/b']);
    expect(await list({ after: 'x/b' })).toEqual(['y/a']);
    expect(await list({ limit: 1 })).toEqual(['x/a']);
  });

  test('is found by a part of its name or description, and by whether it is active', async () => {
    for (const name of ['invoices', 'other']) await insert(skill(name));
    await store.database.transaction((tx) => skills.insertActivation(tx, activation('default-other')));
    const list = async (filter: object) =>
      (await skills.listSkills({ limit: 10, ...filter })).map(({ name }) => name).join(' ');
    expect(await list({ query: 'VOICE' })).toBe('invoices');
    expect(await list({ query: 'version 1' })).toBe('invoices other');
    expect(await list({ query: '_' })).toBe('');
    expect(await list({ state: 'active' })).toBe('other');
    expect(await list({ state: 'inactive' })).toBe('invoices');
    expect(await list({ state: 'inactive', query: 'other' })).toBe('');
    const [latest, absent] = [skill('other'), { skillId: 'absent', latestVersion: 1 }];
    expect(await skills.countWarnings([latest, absent, { ...skill('invoices'), latestVersion: 2 }])).toEqual(
      new Map([['default-other', 1]]),
    );
  });
});

describe('a version', () => {
  const insertVersion = (skillId: string, number: number) =>
    store.database.transaction((tx) => skills.insertVersion(tx, version(skillId, number)));

  test('is refused if its skill does not exist or is deleted, or has a later version', async () => {
    await insert(skill('a'));
    await insertVersion('default-a', 3);
    const refusal = 'a version belongs to a skill and follows its latest';
    await expect(insertVersion('absent', 1)).rejects.toThrow(refusal);
    await expect(insertVersion('default-a', 2)).rejects.toThrow(refusal);
    await store.database.transaction((tx) => skills.deleteSkill(tx, 'default-a', 5));
    await expect(insertVersion('default-a', 4)).rejects.toThrow(refusal);
    expect((await skills.listVersions('default-a', { limit: 10 })).map((item) => item.version)).toEqual([1, 3]);
  });

  test('never changes once it is stored', async () => {
    await insert(skill('a'));
    await expect(insertVersion('default-a', 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const change = store.database.command("UPDATE skill_versions SET document = '{}'");
    await expect(store.database.transaction(async (tx) => change.run(tx))).rejects.toMatchObject({
      cause: { message: 'skill versions are immutable' },
    });
    expect(await skills.findVersion('default-a', 1)).toEqual(version('default-a', 1));
  });

  test('whose stored document is malformed fails as STORAGE_FAILED', async () => {
    await insert(skill('a'));
    const broken = store.database.command(
      `INSERT INTO skill_versions (skill_id, version, published_by, created_at, document)
       VALUES ('default-a', 2, 'owner', 1, '{"digest":"d","frontmatter":{}}')`,
    );
    await store.database.transaction(async (tx) => broken.run(tx));
    await expect(skills.findVersion('default-a', 2)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('an activation', () => {
  test('is the only one of its skill, is found, and is deleted', async () => {
    await insert(skill('a'));
    await store.database.transaction((tx) => skills.insertActivation(tx, activation('default-a')));
    await expect(
      store.database.transaction((tx) =>
        skills.insertActivation(tx, activation('default-a', { activationId: 'other' })),
      ),
    ).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const present = activation('default-a');
    expect(await skills.findActivation('default-a')).toEqual(present);
    expect(await store.database.transaction((tx) => skills.deleteActivation(tx, present.activationId))).toBe(true);
    expect(await skills.findActivation('default-a')).toBeUndefined();
  });

  test('is expired from `expiresAt` on, and is listed then, the earliest first, up to the limit', async () => {
    for (const [name, expiresAt] of [
      ['a', 30],
      ['b', 10],
      ['c', 20],
      ['d', undefined],
    ] as const) {
      await insert(skill(name));
      await store.database.transaction((tx) =>
        skills.insertActivation(tx, activation(`default-${name}`, { expiresAt })),
      );
    }
    const expired = async (now: number, limit = 10) =>
      (await skills.listExpiredActivations({ now, limit })).map(({ skillId }) => skillId);
    expect(await expired(9)).toEqual([]);
    expect(await expired(20)).toEqual(['default-b', 'default-c']);
    expect(await expired(99, 1)).toEqual(['default-b']);
    expect(await skills.listActivations({ namespace: 'default' })).toHaveLength(4);
    expect(await skills.listActivations({ namespace: 'other' })).toEqual([]);
  });
});
