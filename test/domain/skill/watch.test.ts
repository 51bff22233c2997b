/** The skill watcher on real files: what it reports of a folder, when, and how often. */
import { mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  createDirectory,
  createWatch,
  documentOf,
  reportedMsMax,
  skillText,
  startedWatch,
  summaryOf,
  type TestWatch,
  untilReported,
  writeSkill,
} from '../../support/skill-watching.ts';

describe('a started watcher', () => {
  test('has reported every existing skill, sorted by name', async () => {
    const { reported } = await startedWatch(['beta', 'alpha']);
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
  });

  test('reports within two seconds that a skill appears, changes and disappears', async () => {
    const { directory, reported } = await startedWatch();
    await writeSkill(directory, 'alpha', 'One.');
    await untilReported(reported, ['skill alpha: One.']);
    await writeSkill(directory, 'alpha', 'Two.');
    await untilReported(reported, ['skill alpha: One.', 'skill alpha: Two.']);
    await rm(join(directory, 'alpha', 'SKILL.md'));
    await untilReported(reported, ['skill alpha: One.', 'skill alpha: Two.', 'gone alpha']);
  });

  test('reports a removed folder', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await rm(join(directory, 'alpha'), { recursive: true });
    await untilReported(reported, ['skill alpha: Do it.', 'gone alpha']);
  });

  test('reports a change in a file beside SKILL.md, with its content', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await mkdir(join(directory, 'alpha', 'references'));
    await writeFile(join(directory, 'alpha', 'references', 'a.md'), 'first');
    await untilReported(reported, ['skill alpha: Do it.', 'skill alpha: Do it.']);
    await writeFile(join(directory, 'alpha', 'references', 'a.md'), 'second');
    await untilReported(reported, Array(3).fill('skill alpha: Do it.'));
    expect(documentOf(reported).files).toEqual([{ path: 'references/a.md', content: 'second', encoding: 'utf-8' }]);
  });

  test('reports a broken document, then its repair', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await writeFile(join(directory, 'alpha', 'SKILL.md'), '---\nname: alpha\n---\n');
    await untilReported(reported, ['skill alpha: Do it.', 'broken alpha: description']);
    await writeSkill(directory, 'alpha', 'Repaired.');
    await untilReported(reported, ['skill alpha: Do it.', 'broken alpha: description', 'skill alpha: Repaired.']);
  });

  test('reports a broken document whose time is in the future, as after the clock was set back', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    const file = join(directory, 'alpha', 'SKILL.md');
    await writeFile(`${file}.new`, '---\nname: alpha\n---\n');
    const future = new Date(Date.now() + 86_400_000);
    await utimes(`${file}.new`, future, future);
    await rename(`${file}.new`, file);
    await untilReported(reported, ['skill alpha: Do it.', 'broken alpha: description']);
  });

  test('does not report a file that was written again with the same content', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await writeSkill(directory, 'alpha');
    await writeSkill(directory, 'beta');
    await untilReported(reported, ['skill alpha: Do it.', 'skill beta: Do it.']);
    await writeSkill(directory, 'alpha', 'Other.');
    await untilReported(reported, ['skill alpha: Do it.', 'skill beta: Do it.', 'skill alpha: Other.']);
  });

  test('reports a renamed folder as gone, and as a skill of the new name with a warning', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await rename(join(directory, 'alpha'), join(directory, 'beta'));
    await vi.waitFor(() => expect(reported).toHaveLength(3), { timeout: reportedMsMax });
    expect(summaryOf(reported).sort()).toEqual(['gone alpha', 'skill alpha: Do it.', 'skill beta: Do it.']);
    const renamed = reported.find((report) => report.kind === 'skill' && report.name === 'beta');
    expect(renamed?.kind === 'skill' && renamed.document).toMatchObject({
      frontmatter: { name: 'beta' },
      warnings: [{ field: 'name', message: expect.stringContaining('found "alpha"') }],
    });
  });

  test('reports a save by rename, as editors do, once', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    await writeFile(join(directory, 'alpha', 'SKILL.md.new'), skillText('alpha', 'Saved.'));
    await rename(join(directory, 'alpha', 'SKILL.md.new'), join(directory, 'alpha', 'SKILL.md'));
    await untilReported(reported, ['skill alpha: Do it.', 'skill alpha: Saved.']);
    expect(documentOf(reported).files).toEqual([]);
  });

  test('reports within two seconds while another file of the skill is written continuously', async () => {
    const { directory, reported } = await startedWatch(['alpha']);
    let writes = 0;
    const writer = setInterval(() => {
      writes += 1;
      void writeFile(join(directory, 'alpha', 'busy.txt'), `${writes}`);
    }, 40);
    onTestFinished(() => clearInterval(writer));
    await writeSkill(directory, 'alpha', 'Changed.');
    await vi.waitFor(() => expect(summaryOf(reported)).toContain('skill alpha: Changed.'), { timeout: reportedMsMax });
    clearInterval(writer);
    expect(reported.length).toBeLessThan(writes);
  });

  test('does not report a folder again before its listener has finished', async () => {
    const release: (() => void)[] = [];
    const { directory, reported, watch } = await startedWatch();
    const slow = createWatch(directory, { onSkill: () => new Promise((resolve) => release.push(resolve)) });
    const started = slow.watch.start();
    await started;
    await writeSkill(directory, 'alpha', 'One.');
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: reportedMsMax });
    await writeSkill(directory, 'alpha', 'Two.');
    await vi.waitFor(() => expect(summaryOf(reported)).toContain('skill alpha: Two.'), { timeout: reportedMsMax });
    await watch.fullPass();
    expect(summaryOf(slow.reported)).toEqual(['skill alpha: One.']);
    release.pop()?.();
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: reportedMsMax });
    expect(summaryOf(slow.reported)).toEqual(['skill alpha: One.', 'skill alpha: Two.']);
    release.pop()?.();
  });

  test('reports nothing after it is disposed of', async () => {
    const { directory, reported, watch } = await startedWatch(['alpha']);
    const other = createWatch(directory);
    await other.watch.start();
    await watch[Symbol.asyncDispose]();
    await writeSkill(directory, 'alpha', 'Later.');
    await untilReported(other.reported, ['skill alpha: Do it.', 'skill alpha: Later.']);
    await watch.fullPass();
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.']);
  });

  test('continues after a listener has failed, and repeats the call in the next full pass', async () => {
    let failures = 1;
    const { reported, warnings, watch } = await startedWatch(['alpha', 'beta'], {
      onSkill: async () => {
        failures -= 1;
        if (failures === 0) throw new Error('the store is unavailable');
      },
    });
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
    expect(warnings).toEqual([
      {
        message: 'A change in a skill folder was not applied; the next full pass retries it',
        fields: expect.objectContaining({ error_type: 'INTERNAL', reason: 'the store is unavailable' }),
      },
    ]);
    await watch.fullPass();
    expect(summaryOf(reported.slice(2))).toEqual(['skill alpha: Do it.']);
  });
});

describe('a full pass', () => {
  test('finds skills that were created, changed and deleted while nothing was watching', async () => {
    const directory = await createDirectory();
    await writeSkill(directory, 'alpha');
    await writeSkill(directory, 'beta');
    const { reported, watch } = createWatch(directory);
    await watch.fullPass();
    reported.length = 0;
    await rm(join(directory, 'alpha'), { recursive: true });
    await writeSkill(directory, 'beta', 'Changed.');
    await writeSkill(directory, 'gamma');
    expect(await watch.fullPass()).toMatchObject({ found: 2, published: 2, unchanged: 0, refused: 0 });
    expect(summaryOf(reported)).toEqual(['gone alpha', 'skill beta: Changed.', 'skill gamma: Do it.']);
  });

  test('reports nothing that is unchanged, and counts it; a repeat reports the folder of one name', async () => {
    const { directory, reported, watch } = await startedWatch(['alpha']);
    await mkdir(join(directory, 'beta'));
    await writeFile(join(directory, 'beta', 'SKILL.md'), 'text');
    await untilReported(reported, ['skill alpha: Do it.', 'broken beta: frontmatter']);
    await watch.fullPass();
    expect(await watch.fullPass()).toMatchObject({ found: 2, published: 0, unchanged: 1, warned: 0, refused: 1 });
    expect(reported).toHaveLength(2);
    await watch.repeat('alpha');
    await watch.repeat('unknown');
    expect(summaryOf(reported.slice(2))).toEqual(['skill alpha: Do it.']);
  });

  test('reads a file again that was written with the same size and time', async () => {
    const directory = await createDirectory();
    await writeSkill(directory, 'alpha', 'One.');
    const { reported, watch } = createWatch(directory);
    await watch.fullPass();
    const file = join(directory, 'alpha', 'SKILL.md');
    const { atime, mtime } = await stat(file);
    await writeSkill(directory, 'alpha', 'Two.');
    await utimes(file, atime, mtime);
    await watch.fullPass();
    expect(summaryOf(reported)).toEqual(['skill alpha: One.', 'skill alpha: Two.']);
  });

  test('ignores folders without SKILL.md, node_modules, .git and files', async () => {
    const directory = await createDirectory();
    for (const name of ['.git', 'node_modules']) await writeSkill(directory, name);
    await mkdir(join(directory, 'empty'));
    await writeFile(join(directory, 'README.md'), 'text');
    const { reported, watch } = createWatch(directory);
    expect(await watch.fullPass()).toMatchObject({ found: 0, notSearched: [] });
    expect(reported).toEqual([]);
  });
});

describe('a directory that does not exist', () => {
  test('is logged once, is read when it appears, and keeps its skills when it disappears', async () => {
    const directory = join(await createDirectory(), 'not', 'yet');
    const { reported, warnings, watch } = createWatch(directory);
    await watch.start();
    expect((await watch.fullPass()).mayExist(join(directory, 'any'))).toBe(true);
    const message = 'A skill directory does not exist; skills that were read from it are kept';
    expect(warnings).toEqual([{ message, fields: { directory } }]);
    await writeSkill(directory, 'alpha');
    await untilReported(reported, ['skill alpha: Do it.']);
    await rm(directory, { recursive: true });
    await vi.waitFor(() => expect(warnings).toHaveLength(2), { timeout: reportedMsMax });
    await writeSkill(directory, 'alpha', 'Again.');
    await untilReported(reported, ['skill alpha: Do it.', 'skill alpha: Again.']);
  });

  test('does not prevent another one from being watched', async () => {
    const directory = await createDirectory();
    const { reported, watch } = createWatch(directory, { directories: [join(directory, 'missing'), directory] });
    await watch.start();
    await writeSkill(directory, 'alpha');
    await untilReported(reported, ['skill alpha: Do it.']);
  });

  test('because it is a file is logged as missing', async () => {
    const file = join(await createDirectory(), 'file');
    await writeFile(file, 'text');
    const { reported, warnings, watch } = createWatch(file);
    await watch.start();
    expect(reported).toEqual([]);
    const message = 'A skill directory does not exist; skills that were read from it are kept';
    expect(warnings).toEqual([{ message, fields: { directory: file } }]);
  });
});

describe('a directory that is itself a skill', () => {
  test('has the contents of its subfolders as files, but for folders that are skills of their own', async () => {
    const directory = join(await createDirectory(), 'alpha');
    await writeSkill(dirname(directory), 'alpha');
    await writeSkill(directory, 'inner');
    await mkdir(join(directory, 'docs'));
    await writeFile(join(directory, 'docs', 'a.md'), 'text');
    const { reported, watch } = createWatch(directory);
    await watch.start();
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'skill inner: Do it.']);
    const [outer] = reported;
    expect(outer?.kind === 'skill' && outer.document).toMatchObject({
      files: [{ path: 'docs/a.md' }],
      warnings: [{ field: 'files/inner', message: 'has a SKILL.md of its own, and is not part of this skill' }],
    });
    await rm(join(directory, 'SKILL.md'));
    await untilReported(reported, ['skill alpha: Do it.', 'skill inner: Do it.', 'gone alpha']);
  });
});

describe('a directory that becomes empty', () => {
  test('keeps its skills if it was replaced, as by an unmount, and not if they were removed from it', async () => {
    const directory = join(await createDirectory(), 'mount');
    await writeSkill(directory, 'alpha');
    const { reported, warnings, watch } = createWatch(directory);
    await watch.fullPass();
    await rename(directory, `${directory}-away`);
    await mkdir(directory);
    expect(await watch.fullPass()).toMatchObject({ found: 1 });
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.']);
    expect(warnings.map(({ message }) => message)).toEqual([
      'A skill directory is empty, as if it were not mounted; its skills are kept',
    ]);
    await rm(directory, { recursive: true });
    await rename(`${directory}-away`, directory);
    await watch.fullPass();
    await rm(join(directory, 'alpha'), { recursive: true });
    expect(await watch.fullPass()).toMatchObject({ found: 0 });
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.', 'gone alpha']);
  });
});

describe('two folders of one name', () => {
  const namesOf = (reported: TestWatch['reported']) => reported.map((report) => `${report.kind} ${report.name}`);

  test('are both skills: the second one has its parent folder in its name, and a warning', async () => {
    const root = await createDirectory();
    for (const team of ['one', 'two']) await writeSkill(join(root, team, 'skills'), 'alpha', `${team}.`);
    const { reported, watch } = createWatch(root, { directories: [join(root, 'one'), join(root, 'two')] });
    await watch.start();
    expect(namesOf(reported)).toEqual(['skill alpha', 'skill two-alpha']);
    expect(documentOf(reported)).toMatchObject({
      frontmatter: { name: 'two-alpha' },
      warnings: [{ field: 'name', message: 'another skill is named "alpha"; this skill is named "two-alpha"' }],
    });
    await rm(join(root, 'one', 'skills', 'alpha'), { recursive: true });
    await writeSkill(join(root, 'two', 'skills'), 'alpha', 'Changed.');
    await vi.waitFor(() => expect(reported).toHaveLength(4), { timeout: reportedMsMax });
    expect(namesOf(reported.slice(2)).sort()).toEqual(['gone alpha', 'skill two-alpha']);
  });

  test('of which the first is gone: a new folder, such as the same one moved, has the name', async () => {
    const root = await createDirectory();
    await writeSkill(join(root, 'one'), 'alpha');
    const { reported, watch } = createWatch(root);
    await watch.fullPass();
    await rename(join(root, 'one'), join(root, 'moved'));
    await watch.fullPass();
    expect(namesOf(reported)).toEqual(['skill alpha', 'gone alpha', 'skill alpha']);
  });

  test('that are one folder, found through two directories, are one skill', async () => {
    const root = await createDirectory();
    await writeSkill(join(root, 'one'), 'alpha');
    const { watch } = createWatch(root, { directories: [root, join(root, 'one')] });
    expect(await watch.fullPass()).toMatchObject({ found: 1 });
  });
});
