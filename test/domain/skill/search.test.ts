/** The search for skill folders: layouts of repositories, plugins and clients, linked folders, and its limits. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expandDirectories } from '../../../src/domain/skill/directories.ts';
import { linkTargetsOf, searchLimits, searchSkillFolders } from '../../../src/domain/skill/search.ts';
import { createDirectory, createWatch, summaryOf, untilReported, writeSkill } from '../../support/skill-watching.ts';

/** The folders found below a directory, relative to it, and what was not searched. */
async function searched(directory: string, linkTargets: readonly string[] = []) {
  const result = await searchSkillFolders({ directory, linkTargets });
  if (result.outcome !== 'searched') return result.outcome;
  return {
    found: result.folders.map(({ folder }) => relative(directory, folder)),
    notSearched: result.notSearched.map(({ path, reason }) => `${relative(directory, path)}: ${reason}`),
  };
}

describe('a repository of skills', () => {
  test('has its skills found in categories, plugins and the folders of clients', async () => {
    const root = await createDirectory();
    const folders = [
      '.agents/skills/a',
      '.claude/skills/b',
      'category/c',
      'plugins/p/skills/d',
      'plugins/p/skills/d/inner/e',
      'skills/.curated/f',
    ];
    for (const folder of folders) await writeSkill(join(root, folder, '..'), folder.split('/').at(-1) ?? '');
    for (const folder of ['.git/x', 'node_modules/y', 'category/.venv/z']) await writeSkill(join(root, folder), 'no');
    expect(await searched(root)).toEqual({ found: folders, notSearched: [] });
  });

  test('is searched to a bounded depth, and names what lies deeper', async () => {
    const root = await createDirectory();
    const deepest = Array.from({ length: searchLimits.depthMax - 1 }, () => 'd').join('/');
    await writeSkill(join(root, deepest), 'found');
    await writeSkill(join(root, deepest, 'd'), 'deeper');
    expect(await searched(root)).toEqual({
      found: [`${deepest}/found`],
      notSearched: [`${deepest}/d/deeper: too_deep`],
    });
  });

  test('names a folder whose name is not UTF-8, which cannot be read', async () => {
    const root = await createDirectory();
    await writeSkill(root, 'a');
    await mkdir(Buffer.concat([Buffer.from(`${root}/x`), Buffer.from([0xff])]));
    expect(await searched(root)).toEqual({ found: ['a'], notSearched: ['x\ufffd: unreadable'] });
  });

  test('that does not exist, or is a file, is missing', async () => {
    const root = await createDirectory();
    await writeFile(join(root, 'file'), '');
    expect([await searched(join(root, 'none')), await searched(join(root, 'file'))]).toEqual(['missing', 'missing']);
  });
});

describe('a linked folder', () => {
  test('is found where the link stays in the directory, once, at its own path', async () => {
    const root = await createDirectory();
    await writeSkill(join(root, 'z'), 'real');
    await mkdir(join(root, 'a'));
    await symlink('../z/real', join(root, 'a', 'linked'));
    expect(await searched(root)).toEqual({ found: ['z/real'], notSearched: [] });
  });

  test('is named and not searched where the link leads out, unless its target is configured', async () => {
    const [root, elsewhere] = [await createDirectory(), await createDirectory()];
    await writeSkill(elsewhere, 'out');
    await symlink(join(elsewhere, 'out'), join(root, 'out'));
    expect(await searched(root)).toEqual({ found: [], notSearched: ['out: link_outside'] });
    const allowed = await linkTargetsOf([root], [elsewhere]);
    expect(await searched(root, allowed)).toEqual({ found: ['out'], notSearched: [] });
  });

  test('of an installer of skills is found from the folder of a client', async () => {
    const home = await createDirectory();
    await writeSkill(join(home, '.agents', 'skills'), 'installed');
    const client = join(home, '.claude', 'skills');
    await mkdir(client, { recursive: true });
    await symlink('../../.agents/skills/installed', join(client, 'installed'));
    expect(await searched(client, await linkTargetsOf([client], []))).toEqual({
      found: ['installed'],
      notSearched: [],
    });
  });

  test('in a circle, or to nothing, ends the search there', async () => {
    const root = await createDirectory();
    await writeSkill(root, 'a');
    await symlink('.', join(root, 'self'));
    await symlink('..', join(root, 'a', 'up'));
    await symlink('two', join(root, 'one'));
    await symlink('one', join(root, 'two'));
    await symlink('none', join(root, 'dangling'));
    expect(await searched(root)).toEqual({ found: ['a'], notSearched: [] });
  });

  test('is watched: a change in its target is reported, and a link that is turned outwards is not read', async () => {
    const [root, elsewhere] = [await createDirectory(), await createDirectory()];
    await writeSkill(elsewhere, 'alpha');
    await symlink(join(elsewhere, 'alpha'), join(root, 'alpha'));
    const { reported, watch } = createWatch(root, { linkTargets: [elsewhere] });
    await watch.start();
    await writeSkill(elsewhere, 'alpha', 'Changed.');
    await untilReported(reported, ['skill alpha: Do it.', 'skill alpha: Changed.']);
    const secret = await createDirectory();
    await writeSkill(secret, 'alpha', 'Secret.');
    await rm(join(root, 'alpha'));
    await symlink(join(secret, 'alpha'), join(root, 'alpha'));
    await watch.fullPass();
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'skill alpha: Changed.', 'gone alpha']);
  });
});

describe('a fingerprint', () => {
  test('changes when a file of the skill is added, written or removed, and not for other files', async () => {
    const root = await createDirectory();
    await writeSkill(root, 'alpha');
    const fingerprint = async () => {
      const result = await searchSkillFolders({ directory: root, linkTargets: [] });
      return result.outcome === 'searched' ? result.folders[0]?.fingerprint : undefined;
    };
    const seen = [await fingerprint()];
    await writeFile(join(root, 'other.md'), 'x');
    await mkdir(join(root, 'alpha', '__pycache__'));
    await writeFile(join(root, 'alpha', '__pycache__', 'x.pyc'), 'x');
    expect(await fingerprint()).toBe(seen[0]);
    const steps = [
      () => writeFile(join(root, 'alpha', 'a.md'), 'x'),
      () => writeFile(join(root, 'alpha', 'a.md'), 'yy'),
      () => rename(join(root, 'alpha', 'a.md'), join(root, 'alpha', 'b.md')),
    ];
    for (const step of steps) {
      await step();
      seen.push(await fingerprint());
    }
    expect(new Set(seen).size).toBe(4);
  });
});

describe('configured directories', () => {
  test('may be globs, of which each match is one, in the order configured', async () => {
    const root = await createDirectory();
    for (const name of ['b/skills', 'a/skills', 'c/other']) await mkdir(join(root, name), { recursive: true });
    const directories = [{ path: join(root, 'c') }, { path: join(root, '*', 'skills'), prefix: 'team' }];
    expect(await expandDirectories(directories)).toEqual([
      { path: join(root, 'c') },
      { path: join(root, 'a', 'skills'), prefix: 'team' },
      { path: join(root, 'b', 'skills'), prefix: 'team' },
    ]);
    expect(await expandDirectories([{ path: join(root, 'none', '*') }])).toEqual([]);
  });
});
