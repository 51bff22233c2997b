/** Activations and their skill versions: the version must exist, and an activation keeps it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Activation } from '../../src/shapes/skill.ts';
import { createSkillStore, type SkillStore } from '../../src/stores/skill-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let skills: SkillStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  skills = createSkillStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const version = (skillId: string, number: number) => ({
  skillId,
  version: number,
  publishedBy: 'owner',
  createdAt: number,
  document: {
    frontmatter: { name: 'a', description: `Version ${number}.` },
    attributes: {},
    source: '',
    instructions: 'Do it.',
    warnings: [],
    files: [],
    digest: `digest-${number}`,
  },
});

const insertVersion = (skillId: string, number: number) =>
  store.database.transaction((tx) => skills.insertVersion(tx, version(skillId, number)));

/** A skill of version 1, with its name as its id. */
const insert = (name: string, namespace = 'default') =>
  store.database.transaction(async (tx) => {
    await skills.insertSkill(tx, {
      skillId: name,
      namespace,
      name,
      ownerAgentId: 'owner',
      source: 'published',
      latestVersion: 1,
      description: 'First.',
      createdAt: 1,
      updatedAt: 1,
    });
    await skills.insertVersion(tx, version(name, 1));
  });

const activation = (skillId: string, changes: Partial<Activation> = {}): Activation => ({
  activationId: `act-${skillId}`,
  skillId,
  skillName: skillId,
  namespace: 'default',
  agentId: 'owner',
  version: 1,
  toolName: `skill_${skillId}`,
  registered: true,
  activatedAt: 1,
  expiresAt: undefined,
  ...changes,
});

const activate = (item: Activation) => store.database.transaction((tx) => skills.insertActivation(tx, item));

describe('a version', () => {
  test('is listed in ascending order, in pages', async () => {
    await insert('a');
    for (const number of [2, 3, 4]) await insertVersion('a', number);
    const numbers = async (page: { after?: number; limit: number }) =>
      (await skills.listVersions('a', page)).map((summary) => summary.version);
    expect(await numbers({ limit: 2 })).toEqual([1, 2]);
    expect(await numbers({ after: 2, limit: 9 })).toEqual([3, 4]);
  });
});

describe('an activation', () => {
  test('of a version that is not stored is refused', async () => {
    await insert('a');
    await expect(activate(activation('a', { version: 2 }))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(activate(activation('absent'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await skills.listActivations({})).toEqual([]);
  });

  test('keeps its version when a later one is published', async () => {
    await insert('a');
    await activate(activation('a'));
    await insertVersion('a', 2);
    expect(await skills.findActivation('a')).toEqual(activation('a'));
  });

  test('that does not exist is not deleted', async () => {
    await insert('a');
    const absent = activation('a');
    expect(await store.database.transaction((tx) => skills.deleteActivation(tx, absent.activationId))).toBe(false);
  });

  test('has the name and namespace of its skill, and is listed in their order', async () => {
    await insert('b', 'x');
    await insert('c', 'w');
    await insert('a', 'x');
    for (const name of ['b', 'c', 'a']) await activate(activation(name, { skillName: 'made up' }));
    const listed = (await skills.listActivations({})).map(({ namespace, skillName }) => `${namespace}/${skillName}`);
    expect(listed).toEqual(['w/c', 'x/a', 'x/b']);
  });
});
