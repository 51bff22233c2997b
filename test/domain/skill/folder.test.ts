/** Skill folders on disk: what is read, what is refused, and what is never followed. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { skillLimits } from '../../../src/shapes/skill.ts';
import { copySkillFixtures, shippedSkillsDirectory, skillNamesIn } from '../../support/skill-fixtures.ts';
import {
  createDirectory,
  createWatch,
  documentOf,
  skillText,
  summaryOf,
  type TestWatch,
  writeSkill,
} from '../../support/skill-watching.ts';

describe('a skill folder', () => {
  /** The reports of one full pass on a folder `alpha` that `prepare` has changed. */
  async function reportedOf(prepare: (folder: string) => Promise<unknown>): Promise<TestWatch> {
    const directory = await createDirectory();
    await writeSkill(directory, 'alpha');
    await prepare(join(directory, 'alpha'));
    const watched = createWatch(directory);
    await watched.watch.fullPass();
    return watched;
  }

  test('whose SKILL.md is not UTF-8 is broken', async () => {
    const { reported } = await reportedOf((folder) => writeFile(join(folder, 'SKILL.md'), Buffer.from([0x2d, 0xff])));
    expect(summaryOf(reported)).toEqual(['broken alpha: document']);
  });

  test('whose SKILL.md is over a mebibyte is broken, as too large', async () => {
    const { reported } = await reportedOf((folder) =>
      writeFile(join(folder, 'SKILL.md'), skillText('alpha', 'x'.repeat(skillLimits.documentBytesMax))),
    );
    expect(summaryOf(reported)).toEqual(['broken alpha: document']);
    const last = reported.at(-1);
    expect(last?.kind === 'broken' && last.error.code).toBe('PAYLOAD_TOO_LARGE');
  });

  test('whose SKILL.md is a folder is broken', async () => {
    const { reported } = await reportedOf(async (folder) => {
      await rm(join(folder, 'SKILL.md'));
      await mkdir(join(folder, 'SKILL.md'));
    });
    expect(summaryOf(reported)).toEqual(['broken alpha: SKILL.md']);
  });

  test('whose SKILL.md is a pipe is broken, and reading it does not block', async () => {
    const { reported } = await reportedOf(async (folder) => {
      await rm(join(folder, 'SKILL.md'));
      await promisify(execFile)('mkfifo', [join(folder, 'SKILL.md')]);
    });
    expect(summaryOf(reported)).toEqual(['broken alpha: SKILL.md']);
  });

  test('with 511 files beside SKILL.md is a skill, and with one more it is broken', async () => {
    const fill = (folder: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_value, index) => writeFile(join(folder, `${index}.md`), 'text')));
    expect(summaryOf((await reportedOf((folder) => fill(folder, 511))).reported)).toEqual(['skill alpha: Do it.']);
    expect(summaryOf((await reportedOf((folder) => fill(folder, 512))).reported)).toEqual(['broken alpha: files']);
  });

  test('with more than 5,000 files and folders is broken', async () => {
    const { reported } = await reportedOf(async (folder) => {
      for (let index = 0; index <= 5000; index += 1) await mkdir(join(folder, `${index}`));
    });
    expect(summaryOf(reported)).toEqual(['broken alpha: files']);
  });

  test('with a file of many mebibytes is a skill, and with files over 16 mebibytes in total is broken', async () => {
    const write = (name: string, bytes: number) => (folder: string) =>
      writeFile(join(folder, name), Buffer.alloc(bytes, 0xff));
    const large = await reportedOf(write('a.bin', 9_000_000));
    expect(summaryOf(large.reported)).toEqual(['skill alpha: Do it.']);
    const tooLarge = await reportedOf(write('a.bin', skillLimits.bytesMax));
    expect(summaryOf(tooLarge.reported)).toEqual(['broken alpha: files']);
  });

  test('has binary files in base64, and text files unchanged, with byte order mark and line endings', async () => {
    const { reported } = await reportedOf(async (folder) => {
      await writeFile(join(folder, 'a.bin'), Buffer.from([0xff, 0x00, 0xfe]));
      await writeFile(join(folder, 'b.txt'), '\ufeffone\r\ntwo');
    });
    expect(documentOf(reported).files).toEqual([
      { path: 'a.bin', content: '/wD+', encoding: 'base64' },
      { path: 'b.txt', content: '\ufeffone\r\ntwo', encoding: 'utf-8' },
    ]);
  });

  test('leaves out hidden files, node_modules, __pycache__, pipes, and links out of it', async () => {
    const { reported } = await reportedOf(async (folder) => {
      const outside = join(dirname(folder), 'secret.txt');
      await writeFile(outside, 'secret');
      await writeFile(join(folder, '.env'), 'secret');
      await mkdir(join(folder, 'node_modules'));
      await writeFile(join(folder, 'node_modules', 'x.js'), 'text');
      await mkdir(join(folder, 'scripts', '__pycache__'), { recursive: true });
      await writeFile(join(folder, 'scripts', '__pycache__', 'x.pyc'), 'text');
      await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
      await symlink(outside, join(folder, 'link.txt'));
      await symlink(dirname(folder), join(folder, 'up'));
      await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
      await writeFile(join(folder, 'kept.txt'), 'text');
      await symlink('kept.txt', join(folder, 'inside.txt'));
    });
    expect(documentOf(reported).files.map(({ path, content }) => `${path}: ${content}`)).toEqual([
      'inside.txt: text',
      'kept.txt: text',
    ]);
    const message = 'is a link out of the skill folder, and is left out';
    expect(documentOf(reported).warnings).toEqual([
      { field: 'files/link.txt', message },
      { field: 'files/up', message },
    ]);
  });

  test('leaves out files and folders whose names are not UTF-8, with a warning', async () => {
    const { reported } = await reportedOf(async (folder) => {
      const undecodable = Buffer.concat([Buffer.from(`${folder}/x`), Buffer.from([0xff])]);
      await writeFile(undecodable, 'text');
      await mkdir(Buffer.concat([undecodable, Buffer.from('d')]));
      await writeFile(join(folder, 'kept.txt'), 'text');
    });
    const message = 'has a name that is not UTF-8, and is left out';
    expect(documentOf(reported).files.map(({ path }) => path)).toEqual(['kept.txt']);
    expect(documentOf(reported).warnings.toSorted((one, other) => (one.field < other.field ? -1 : 1))).toEqual([
      { field: 'files/x\ufffd', message },
      { field: 'files/x\ufffdd', message },
    ]);
  });

  test('whose SKILL.md is a link within the directory is read, with a warning', async () => {
    const { reported } = await reportedOf(async (folder) => {
      const agents = join(dirname(folder), 'agents');
      await mkdir(agents);
      await rename(join(folder, 'SKILL.md'), join(agents, 'alpha.md'));
      await symlink('../agents/alpha.md', join(folder, 'SKILL.md'));
    });
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.']);
    expect(documentOf(reported)).toMatchObject({
      warnings: [{ field: 'document', message: 'is a link to a file in another folder' }],
    });
  });

  test('whose SKILL.md is a link in the directory is read again when the target changes', async () => {
    const directory = await createDirectory();
    const target = join(directory, 'alpha.md');
    await writeFile(target, skillText('alpha'));
    await mkdir(join(directory, 'alpha'));
    await symlink(target, join(directory, 'alpha', 'SKILL.md'));
    const { watch, reported } = createWatch(directory);
    await watch.fullPass();
    await writeFile(target, skillText('alpha', 'Do it twice.'));
    await watch.fullPass();
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'skill alpha: Do it twice.']);
  });

  test('whose SKILL.md is a link out of the directory is broken, and the target is not read', async () => {
    const elsewhere = await createDirectory();
    const { reported } = await reportedOf(async (folder) => {
      const outside = join(elsewhere, 'SECRET.md');
      await rename(join(folder, 'SKILL.md'), outside);
      await symlink(outside, join(folder, 'SKILL.md'));
    });
    expect(summaryOf(reported)).toEqual(['broken alpha: SKILL.md']);
  });

  test('may write the name of SKILL.md in another letter case, with a warning', async () => {
    const { reported } = await reportedOf((folder) => rename(join(folder, 'SKILL.md'), join(folder, 'skill.md')));
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.']);
    expect(documentOf(reported)).toMatchObject({
      files: [],
      warnings: [{ field: 'document', message: 'found "skill.md", must be SKILL.md' }],
    });
  });

  test('with a file name that is not allowed in a path is broken', async () => {
    const { reported } = await reportedOf((folder) => writeFile(join(folder, 'a\nb'), 'text'));
    expect(summaryOf(reported)).toEqual(['broken alpha: files/a\\u000ab']);
  });
});

describe('complete skills', () => {
  const directories = [
    ['of this repository', shippedSkillsDirectory],
    ...(process.env.HESTIA_EVAL_DIR === undefined
      ? []
      : [['of HESTIA_EVAL_DIR', resolve(process.env.HESTIA_EVAL_DIR, 'skills')]]),
  ];

  test.each(directories)('%s are all valid', (_source = '', directory = '') => expectAllValid(directory));

  test('in the shapes that skills have in practice are all valid', async () => {
    await using fixtures = await copySkillFixtures();
    await expectAllValid(fixtures.directory);
  });

  async function expectAllValid(directory: string): Promise<void> {
    const names = await skillNamesIn(directory);
    expect(names.length).toBeGreaterThan(1);
    const { reported, watch } = createWatch(directory);
    expect((await watch.fullPass()).found).toBe(names.length);
    expect(reported.map(({ kind, name }) => `${kind} ${name}`)).toEqual(names.map((name) => `skill ${name}`));
  }
});
