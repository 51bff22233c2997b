/** The skill watcher on real files: what it reports of a folder, when, and how often. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  createDirectory,
  createWatch,
  documentOf,
  reportedMsMax,
  skillText,
  startedWatch,
  summaryOf,
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
    const renamed = reported.find((report) => report.kind === 'skill' && report.folderName === 'beta');
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
    expect(summaryOf(reported.slice(2))).toEqual(['skill alpha: Do it.', 'skill beta: Do it.']);
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
    expect(await watch.fullPass()).toEqual({
      seen: [join(directory, 'beta'), join(directory, 'gamma')],
      complete: true,
    });
    expect(summaryOf(reported)).toEqual(['skill beta: Changed.', 'skill gamma: Do it.', 'gone alpha']);
  });

  test('reports every skill and every broken one again, so that a registry that lost them recovers', async () => {
    const { directory, reported, watch } = await startedWatch(['alpha']);
    await mkdir(join(directory, 'beta'));
    await writeFile(join(directory, 'beta', 'SKILL.md'), 'text');
    await untilReported(reported, ['skill alpha: Do it.', 'broken beta: frontmatter']);
    expect((await watch.fullPass()).seen.map((folder) => basename(folder))).toEqual(['alpha', 'beta']);
    expect(summaryOf(reported.slice(2))).toEqual(['skill alpha: Do it.', 'broken beta: frontmatter']);
  });

  test('ignores folders without SKILL.md, hidden folders, node_modules and files', async () => {
    const directory = await createDirectory();
    for (const name of ['.hidden', 'node_modules']) await writeSkill(directory, name);
    await mkdir(join(directory, 'empty'));
    await writeFile(join(directory, 'README.md'), 'text');
    const { reported, watch } = createWatch(directory);
    expect(await watch.fullPass()).toEqual({ seen: [], complete: true });
    expect(reported).toEqual([]);
  });
});

describe('a directory that does not exist', () => {
  test('is logged once, makes a full pass incomplete, and is read when it appears', async () => {
    const directory = join(await createDirectory(), 'not', 'yet');
    const { reported, warnings, watch } = createWatch(directory);
    await watch.start();
    expect(await watch.fullPass()).toEqual({ seen: [], complete: false });
    expect(warnings).toEqual([{ message: 'A skill directory does not exist yet', fields: { directory } }]);
    await writeSkill(directory, 'alpha');
    await untilReported(reported, ['skill alpha: Do it.']);
    await rm(directory, { recursive: true });
    await untilReported(reported, ['skill alpha: Do it.', 'gone alpha']);
    await writeSkill(directory, 'alpha', 'Again.');
    await untilReported(reported, ['skill alpha: Do it.', 'gone alpha', 'skill alpha: Again.']);
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
    expect(warnings).toEqual([{ message: 'A skill directory does not exist yet', fields: { directory: file } }]);
  });
});

describe('a directory that is itself a skill', () => {
  test('is one skill, and the contents of its subfolders are its files', async () => {
    const directory = join(await createDirectory(), 'alpha');
    await writeSkill(dirname(directory), 'alpha');
    await writeSkill(directory, 'inner');
    const { reported, watch } = createWatch(directory);
    await watch.start();
    expect(summaryOf(reported)).toEqual(['skill alpha: Do it.']);
    expect(documentOf(reported).files.map(({ path }) => path)).toEqual(['inner/SKILL.md']);
    await writeFile(join(directory, 'inner', 'more.md'), 'text');
    await untilReported(reported, ['skill alpha: Do it.', 'skill alpha: Do it.']);
    await rm(join(directory, 'SKILL.md'));
    await vi.waitFor(() => expect(reported).toHaveLength(4), { timeout: reportedMsMax });
    expect(summaryOf(reported.slice(2)).sort()).toEqual(['gone alpha', 'skill inner: Do it.']);
  });

  test('replaces the skills below it when its SKILL.md appears', async () => {
    const directory = join(await createDirectory(), 'alpha');
    await writeSkill(directory, 'inner');
    const { reported, watch } = createWatch(directory);
    await watch.start();
    await writeFile(join(directory, 'SKILL.md'), skillText('alpha'));
    await untilReported(reported, ['skill inner: Do it.', 'skill alpha: Do it.', 'gone inner']);
  });
});

describe('two folders of one name', () => {
  test('do not alternate: the second is broken until the first is removed', async () => {
    const [first, second] = [await createDirectory(), await createDirectory()];
    await writeSkill(first, 'alpha', 'First.');
    await writeSkill(second, 'alpha', 'Second.');
    const { reported, watch } = createWatch(first, { directories: [first, second] });
    await watch.start();
    await watch.fullPass();
    expect(summaryOf(reported)).toEqual([
      'skill alpha: First.',
      'broken alpha: ',
      'skill alpha: First.',
      'broken alpha: ',
    ]);
    const last = reported.at(-1);
    expect(last?.kind === 'broken' && last.error.code).toBe('CONFLICT');
    await rm(join(first, 'alpha'), { recursive: true });
    await vi.waitFor(() => expect(summaryOf(reported.slice(4))).toEqual(['gone alpha', 'skill alpha: Second.']), {
      timeout: reportedMsMax,
    });
  });

  test('keep the skill of the first when the second is removed', async () => {
    const [first, second] = [await createDirectory(), await createDirectory()];
    await writeSkill(first, 'alpha', 'First.');
    await writeSkill(second, 'alpha', 'Second.');
    const { reported, watch } = createWatch(first, { directories: [first, second] });
    await watch.fullPass();
    await rm(join(second, 'alpha'), { recursive: true });
    await watch.fullPass();
    expect(summaryOf(reported.slice(2))).toEqual(['skill alpha: First.']);
  });
});
