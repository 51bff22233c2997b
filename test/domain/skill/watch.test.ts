/** Watched skill directories, on real files: what is told of a folder, when, and how often. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  documentOf,
  makeDirectory,
  makeWatch,
  skillText,
  startedWatch,
  summaryOf,
  toldMsMax,
  toldWithin,
  writeSkill,
} from '../../support/skill-watching.ts';

describe('a started watch', () => {
  test('has told of every skill there was, in the order of names', async () => {
    const { told } = await startedWatch(['beta', 'alpha']);
    expect(summaryOf(told)).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
  });

  test('tells within two seconds of a skill that appears, changes and disappears', async () => {
    const { directory, told } = await startedWatch();
    await writeSkill(directory, 'alpha', 'One.');
    await toldWithin(told, ['skill alpha: One.']);
    await writeSkill(directory, 'alpha', 'Two.');
    await toldWithin(told, ['skill alpha: One.', 'skill alpha: Two.']);
    await rm(join(directory, 'alpha', 'SKILL.md'));
    await toldWithin(told, ['skill alpha: One.', 'skill alpha: Two.', 'gone alpha']);
  });

  test('tells of a folder removed as a whole', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await rm(join(directory, 'alpha'), { recursive: true });
    await toldWithin(told, ['skill alpha: Do it.', 'gone alpha']);
  });

  test('tells of a change in a file beside SKILL.md, with its content', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await mkdir(join(directory, 'alpha', 'references'));
    await writeFile(join(directory, 'alpha', 'references', 'a.md'), 'first');
    await toldWithin(told, ['skill alpha: Do it.', 'skill alpha: Do it.']);
    await writeFile(join(directory, 'alpha', 'references', 'a.md'), 'second');
    await toldWithin(told, Array(3).fill('skill alpha: Do it.'));
    expect(documentOf(told).files).toEqual([{ path: 'references/a.md', content: 'second', encoding: 'utf-8' }]);
  });

  test('tells of a broken document, then of its repair', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await writeFile(join(directory, 'alpha', 'SKILL.md'), '---\nname: alpha\n---\n');
    await toldWithin(told, ['skill alpha: Do it.', 'broken alpha: description']);
    await writeSkill(directory, 'alpha', 'Repaired.');
    await toldWithin(told, ['skill alpha: Do it.', 'broken alpha: description', 'skill alpha: Repaired.']);
  });

  test('tells nothing of a file that was written again with the same content', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await writeSkill(directory, 'alpha');
    await writeSkill(directory, 'beta');
    await toldWithin(told, ['skill alpha: Do it.', 'skill beta: Do it.']);
    await writeSkill(directory, 'alpha', 'Other.');
    await toldWithin(told, ['skill alpha: Do it.', 'skill beta: Do it.', 'skill alpha: Other.']);
  });

  test('tells of a renamed folder as gone, and as broken where the skill kept its old name', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await rename(join(directory, 'alpha'), join(directory, 'beta'));
    await vi.waitFor(() => expect(told).toHaveLength(3), { timeout: toldMsMax });
    expect(summaryOf(told).sort()).toEqual(['broken beta: name', 'gone alpha', 'skill alpha: Do it.']);
    await writeSkill(directory, 'beta');
    await vi.waitFor(() => expect(summaryOf(told).at(-1)).toBe('skill beta: Do it.'), { timeout: toldMsMax });
  });

  test('tells of a save by rename, as editors do, once', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    await writeFile(join(directory, 'alpha', 'SKILL.md.new'), skillText('alpha', 'Saved.'));
    await rename(join(directory, 'alpha', 'SKILL.md.new'), join(directory, 'alpha', 'SKILL.md'));
    await toldWithin(told, ['skill alpha: Do it.', 'skill alpha: Saved.']);
    expect(documentOf(told).files).toEqual([]);
  });

  test('tells within two seconds although a file beside is written all the time', async () => {
    const { directory, told } = await startedWatch(['alpha']);
    let writes = 0;
    const writer = setInterval(() => {
      writes += 1;
      void writeFile(join(directory, 'alpha', 'busy.txt'), `${writes}`);
    }, 40);
    onTestFinished(() => clearInterval(writer));
    await writeSkill(directory, 'alpha', 'Changed.');
    await vi.waitFor(() => expect(summaryOf(told)).toContain('skill alpha: Changed.'), { timeout: toldMsMax });
    clearInterval(writer);
    expect(told.length).toBeLessThan(writes);
  });

  test('does not tell of one folder again before its listener has answered', async () => {
    const release: (() => void)[] = [];
    const { directory, told, watch } = await startedWatch();
    const slow = makeWatch(directory, { onSkill: () => new Promise((resolve) => release.push(resolve)) });
    const started = slow.watch.start();
    await started;
    await writeSkill(directory, 'alpha', 'One.');
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: toldMsMax });
    await writeSkill(directory, 'alpha', 'Two.');
    await vi.waitFor(() => expect(summaryOf(told)).toContain('skill alpha: Two.'), { timeout: toldMsMax });
    await watch.fullPass();
    expect(summaryOf(slow.told)).toEqual(['skill alpha: One.']);
    release.pop()?.();
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: toldMsMax });
    expect(summaryOf(slow.told)).toEqual(['skill alpha: One.', 'skill alpha: Two.']);
    release.pop()?.();
  });

  test('tells nothing more once it is disposed of', async () => {
    const { directory, told, watch } = await startedWatch(['alpha']);
    const other = makeWatch(directory);
    await other.watch.start();
    await watch[Symbol.asyncDispose]();
    await writeSkill(directory, 'alpha', 'Later.');
    await toldWithin(other.told, ['skill alpha: Do it.', 'skill alpha: Later.']);
    await watch.fullPass();
    expect(summaryOf(told)).toEqual(['skill alpha: Do it.']);
  });

  test('goes on after a listener failed, and the next pass makes its call again', async () => {
    let failures = 1;
    const { told, warnings, watch } = await startedWatch(['alpha', 'beta'], {
      onSkill: async () => {
        failures -= 1;
        if (failures === 0) throw new Error('the store is away');
      },
    });
    expect(summaryOf(told)).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
    expect(warnings).toEqual([
      {
        message: 'a change in a skill folder was not taken over; the next pass tries again',
        fields: expect.objectContaining({ error_type: 'INTERNAL', reason: 'the store is away' }),
      },
    ]);
    await watch.fullPass();
    expect(summaryOf(told.slice(2))).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
  });
});

describe('a full pass', () => {
  test('finds what was made, changed and deleted while nothing watched', async () => {
    const directory = await makeDirectory();
    await writeSkill(directory, 'alpha');
    await writeSkill(directory, 'beta');
    const { told, watch } = makeWatch(directory);
    await watch.fullPass();
    told.length = 0;
    await rm(join(directory, 'alpha'), { recursive: true });
    await writeSkill(directory, 'beta', 'Changed.');
    await writeSkill(directory, 'gamma');
    expect(await watch.fullPass()).toEqual({
      seen: [join(directory, 'beta'), join(directory, 'gamma')],
      complete: true,
    });
    expect(summaryOf(told)).toEqual(['skill beta: Changed.', 'skill gamma: Do it.', 'gone alpha']);
  });

  test('tells of every skill and of every broken one again, so that a registry that lost them has them back', async () => {
    const { directory, told, watch } = await startedWatch(['alpha']);
    await mkdir(join(directory, 'beta'));
    await writeFile(join(directory, 'beta', 'SKILL.md'), 'text');
    await toldWithin(told, ['skill alpha: Do it.', 'broken beta: frontmatter']);
    expect((await watch.fullPass()).seen.map((folder) => basename(folder))).toEqual(['alpha', 'beta']);
    expect(summaryOf(told.slice(2))).toEqual(['skill alpha: Do it.', 'broken beta: frontmatter']);
  });

  test('passes over folders without SKILL.md, hidden ones, node_modules and loose files', async () => {
    const directory = await makeDirectory();
    for (const name of ['.hidden', 'node_modules']) await writeSkill(directory, name);
    await mkdir(join(directory, 'empty'));
    await writeFile(join(directory, 'README.md'), 'text');
    const { told, watch } = makeWatch(directory);
    expect(await watch.fullPass()).toEqual({ seen: [], complete: true });
    expect(told).toEqual([]);
  });
});

describe('a directory that does not exist', () => {
  test('is logged once, makes a pass incomplete, and is picked up when it appears', async () => {
    const directory = join(await makeDirectory(), 'not', 'yet');
    const { told, warnings, watch } = makeWatch(directory);
    await watch.start();
    expect(await watch.fullPass()).toEqual({ seen: [], complete: false });
    expect(warnings).toEqual([{ message: 'a skill directory does not exist yet', fields: { directory } }]);
    await writeSkill(directory, 'alpha');
    await toldWithin(told, ['skill alpha: Do it.']);
    await rm(directory, { recursive: true });
    await toldWithin(told, ['skill alpha: Do it.', 'gone alpha']);
    await writeSkill(directory, 'alpha', 'Again.');
    await toldWithin(told, ['skill alpha: Do it.', 'gone alpha', 'skill alpha: Again.']);
  });

  test('does not keep another one from being watched', async () => {
    const directory = await makeDirectory();
    const { told, watch } = makeWatch(directory, { directories: [join(directory, 'missing'), directory] });
    await watch.start();
    await writeSkill(directory, 'alpha');
    await toldWithin(told, ['skill alpha: Do it.']);
  });

  test('but is a file is logged as absent, and crashes nothing', async () => {
    const file = join(await makeDirectory(), 'file');
    await writeFile(file, 'text');
    const { told, warnings, watch } = makeWatch(file);
    await watch.start();
    expect(told).toEqual([]);
    expect(warnings).toEqual([{ message: 'a skill directory does not exist yet', fields: { directory: file } }]);
  });
});

describe('a directory that is itself a skill', () => {
  test('is one skill, and its sub-folders are its files', async () => {
    const directory = join(await makeDirectory(), 'alpha');
    await writeSkill(dirname(directory), 'alpha');
    await writeSkill(directory, 'inner');
    const { told, watch } = makeWatch(directory);
    await watch.start();
    expect(summaryOf(told)).toEqual(['skill alpha: Do it.']);
    expect(documentOf(told).files.map(({ path }) => path)).toEqual(['inner/SKILL.md']);
    await writeFile(join(directory, 'inner', 'more.md'), 'text');
    await toldWithin(told, ['skill alpha: Do it.', 'skill alpha: Do it.']);
    await rm(join(directory, 'SKILL.md'));
    await vi.waitFor(() => expect(told).toHaveLength(4), { timeout: toldMsMax });
    expect(summaryOf(told.slice(2)).sort()).toEqual(['gone alpha', 'skill inner: Do it.']);
  });

  test('takes over the skills below it when its SKILL.md appears', async () => {
    const directory = join(await makeDirectory(), 'alpha');
    await writeSkill(directory, 'inner');
    const { told, watch } = makeWatch(directory);
    await watch.start();
    await writeFile(join(directory, 'SKILL.md'), skillText('alpha'));
    await toldWithin(told, ['skill inner: Do it.', 'skill alpha: Do it.', 'gone inner']);
  });
});

describe('two folders of one name', () => {
  test('never take turns: the second is broken until the first goes', async () => {
    const [first, second] = [await makeDirectory(), await makeDirectory()];
    await writeSkill(first, 'alpha', 'First.');
    await writeSkill(second, 'alpha', 'Second.');
    const { told, watch } = makeWatch(first, { directories: [first, second] });
    await watch.start();
    await watch.fullPass();
    expect(summaryOf(told)).toEqual(['skill alpha: First.', 'broken alpha: ', 'skill alpha: First.', 'broken alpha: ']);
    const last = told.at(-1);
    expect(last?.kind === 'broken' && last.error.code).toBe('CONFLICT');
    await rm(join(first, 'alpha'), { recursive: true });
    await vi.waitFor(() => expect(summaryOf(told.slice(4))).toEqual(['gone alpha', 'skill alpha: Second.']), {
      timeout: toldMsMax,
    });
  });

  test('the second going leaves the skill of the first alone', async () => {
    const [first, second] = [await makeDirectory(), await makeDirectory()];
    await writeSkill(first, 'alpha', 'First.');
    await writeSkill(second, 'alpha', 'Second.');
    const { told, watch } = makeWatch(first, { directories: [first, second] });
    await watch.fullPass();
    await rm(join(second, 'alpha'), { recursive: true });
    await watch.fullPass();
    expect(summaryOf(told.slice(2))).toEqual(['skill alpha: First.']);
  });
});
