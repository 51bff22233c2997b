/** Watched skill directories, on real files: what is told of a folder, when, and what is never followed or read. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createSkillWatch, type SkillWatch } from '../../src/domain/skill-watch.ts';
import type { HestiaError } from '../../src/shapes/error.ts';
import { type SkillDocument, skillLimits } from '../../src/shapes/skill.ts';

type Told =
  | { kind: 'skill'; folderName: string; document: SkillDocument }
  | { kind: 'gone'; folderName: string }
  | { kind: 'broken'; folderName: string; error: HestiaError };

interface Watched {
  directory: string;
  watch: SkillWatch;
  told: Told[];
  warnings: { message: string; fields: Record<string, unknown> }[];
}

interface Options {
  directories?: readonly string[];
  onSkill?: (folderName: string) => Promise<void>;
}

const withinMs = 2000;

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hestia-skills-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A watch that is not started; disposed of when the test ends. */
function makeWatch(directory: string, { directories = [directory], onSkill = async () => {} }: Options = {}): Watched {
  const told: Told[] = [];
  const warnings: Watched['warnings'] = [];
  const watch = createSkillWatch({
    directories,
    log: { warn: (message, fields = {}) => void warnings.push({ message, fields }) },
    onSkill: async ({ folderName, document }) => {
      told.push({ kind: 'skill', folderName, document });
      await onSkill(folderName);
    },
    onGone: async ({ folderName }) => void told.push({ kind: 'gone', folderName }),
    onBroken: ({ folderName, error }) => void told.push({ kind: 'broken', folderName, error }),
  });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  return { directory, watch, told, warnings };
}

function skillText(name: string, body = 'Do it.'): string {
  return `---\nname: ${name}\ndescription: Does ${name}.\n---\n${body}\n`;
}

async function writeSkill(directory: string, name: string, body?: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'SKILL.md'), skillText(name, body));
}

/** What was told, as `skill alpha: the instructions`, `gone alpha`, `broken alpha: the violated fields`. */
function summaryOf(told: readonly Told[]): string[] {
  return told.map((one) => {
    switch (one.kind) {
      case 'skill':
        return `skill ${one.folderName}: ${one.document.instructions}`;
      case 'gone':
        return `gone ${one.folderName}`;
      case 'broken':
        return `broken ${one.folderName}: ${one.error.violations.map(({ field }) => field).join(', ')}`;
    }
    return one satisfies never;
  });
}

function toldWithin(told: readonly Told[], expected: readonly string[], timeout = withinMs): Promise<void> {
  return vi.waitFor(() => expect(summaryOf(told)).toEqual(expected), { timeout, interval: 20 });
}

function documentOf(told: readonly Told[]): SkillDocument {
  const last = told.at(-1);
  if (last?.kind !== 'skill') throw new Error('the last call told of no skill');
  return last.document;
}

async function startedWatch(names: readonly string[] = [], options: Options = {}): Promise<Watched> {
  const directory = await makeDirectory();
  for (const name of names) await writeSkill(directory, name);
  const watched = makeWatch(directory, options);
  await watched.watch.start();
  return watched;
}

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
    await vi.waitFor(() => expect(told).toHaveLength(3), { timeout: withinMs });
    expect(summaryOf(told).sort()).toEqual(['broken beta: name', 'gone alpha', 'skill alpha: Do it.']);
    await writeSkill(directory, 'beta');
    await vi.waitFor(() => expect(summaryOf(told).at(-1)).toBe('skill beta: Do it.'), { timeout: withinMs });
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
    await vi.waitFor(() => expect(summaryOf(told)).toContain('skill alpha: Changed.'), { timeout: withinMs });
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
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: withinMs });
    await writeSkill(directory, 'alpha', 'Two.');
    await vi.waitFor(() => expect(summaryOf(told)).toContain('skill alpha: Two.'), { timeout: withinMs });
    await watch.fullPass();
    expect(summaryOf(slow.told)).toEqual(['skill alpha: One.']);
    release.pop()?.();
    await vi.waitFor(() => expect(release).toHaveLength(1), { timeout: withinMs });
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
    await vi.waitFor(() => expect(told).toHaveLength(4), { timeout: withinMs });
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
      timeout: withinMs,
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

describe('a skill folder', () => {
  /** What one pass tells of a folder `alpha` that `prepare` has worked on. */
  async function toldOf(prepare: (folder: string) => Promise<unknown>): Promise<Watched> {
    const directory = await makeDirectory();
    await writeSkill(directory, 'alpha');
    await prepare(join(directory, 'alpha'));
    const watched = makeWatch(directory);
    await watched.watch.fullPass();
    return watched;
  }

  test('whose SKILL.md is not UTF-8 is broken', async () => {
    const { told } = await toldOf((folder) => writeFile(join(folder, 'SKILL.md'), Buffer.from([0x2d, 0xff])));
    expect(summaryOf(told)).toEqual(['broken alpha: document']);
  });

  test('whose SKILL.md is over a mebibyte is broken, as too large', async () => {
    const { told } = await toldOf((folder) =>
      writeFile(join(folder, 'SKILL.md'), skillText('alpha', 'x'.repeat(skillLimits.documentBytesMax))),
    );
    expect(summaryOf(told)).toEqual(['broken alpha: document']);
    const last = told.at(-1);
    expect(last?.kind === 'broken' && last.error.code).toBe('PAYLOAD_TOO_LARGE');
  });

  test('whose SKILL.md is a folder is broken', async () => {
    const { told } = await toldOf(async (folder) => {
      await rm(join(folder, 'SKILL.md'));
      await mkdir(join(folder, 'SKILL.md'));
    });
    expect(summaryOf(told)).toEqual(['broken alpha: SKILL.md']);
  });

  test('whose SKILL.md is a pipe is broken, and not waited on', async () => {
    const { told } = await toldOf(async (folder) => {
      await rm(join(folder, 'SKILL.md'));
      await promisify(execFile)('mkfifo', [join(folder, 'SKILL.md')]);
    });
    expect(summaryOf(told)).toEqual(['broken alpha: SKILL.md']);
  });

  test('with 200 files is a skill, with one more it is broken', async () => {
    const fill = (folder: string, count: number) =>
      Promise.all(Array.from({ length: count }, (_value, index) => writeFile(join(folder, `${index}.md`), 'text')));
    expect(summaryOf((await toldOf((folder) => fill(folder, 200))).told)).toEqual(['skill alpha: Do it.']);
    expect(summaryOf((await toldOf((folder) => fill(folder, 201))).told)).toEqual(['broken alpha: files']);
  });

  test('with more than 2,000 files and folders is broken', async () => {
    const { told } = await toldOf(async (folder) => {
      for (let index = 0; index <= 2000; index += 1) await mkdir(join(folder, `${index}`));
    });
    expect(summaryOf(told)).toEqual(['broken alpha: files']);
  });

  test('with a file over a mebibyte, or more than eight together, is broken', async () => {
    const { told } = await toldOf((folder) =>
      writeFile(join(folder, 'a.md'), Buffer.alloc(skillLimits.fileBytesMax + 1)),
    );
    expect(summaryOf(told)).toEqual(['broken alpha: files/a.md']);
    const many = await toldOf(async (folder) => {
      for (let index = 0; index < 9; index += 1) {
        await writeFile(join(folder, `${index}.md`), Buffer.alloc(skillLimits.fileBytesMax));
      }
    });
    expect(summaryOf(many.told)).toEqual(['broken alpha: files']);
  });

  test('gives binary files in base64 and text as it is, byte order mark and line ends included', async () => {
    const { told } = await toldOf(async (folder) => {
      await writeFile(join(folder, 'a.bin'), Buffer.from([0xff, 0x00, 0xfe]));
      await writeFile(join(folder, 'b.txt'), '\ufeffone\r\ntwo');
    });
    expect(documentOf(told).files).toEqual([
      { path: 'a.bin', content: '/wD+', encoding: 'base64' },
      { path: 'b.txt', content: '\ufeffone\r\ntwo', encoding: 'utf-8' },
    ]);
  });

  test('leaves out hidden files, node_modules, pipes and links that lead out of it', async () => {
    const { told, warnings } = await toldOf(async (folder) => {
      const outside = join(dirname(folder), 'secret.txt');
      await writeFile(outside, 'secret');
      await writeFile(join(folder, '.env'), 'secret');
      await mkdir(join(folder, 'node_modules'));
      await writeFile(join(folder, 'node_modules', 'x.js'), 'text');
      await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
      await symlink(outside, join(folder, 'link.txt'));
      await symlink(dirname(folder), join(folder, 'up'));
      await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
      await writeFile(join(folder, 'kept.txt'), 'text');
      await symlink('kept.txt', join(folder, 'inside.txt'));
    });
    expect(documentOf(told).files.map(({ path, content }) => `${path}: ${content}`)).toEqual([
      'inside.txt: text',
      'kept.txt: text',
    ]);
    expect(warnings).toEqual([
      {
        message: 'links out of a skill folder were left out',
        fields: expect.objectContaining({ links: 'link.txt, up' }),
      },
    ]);
  });

  test('whose SKILL.md is a link that leads out is broken, its target unread', async () => {
    const { told } = await toldOf(async (folder) => {
      const outside = join(dirname(folder), 'SECRET.md');
      await rename(join(folder, 'SKILL.md'), outside);
      await symlink(outside, join(folder, 'SKILL.md'));
    });
    expect(summaryOf(told)).toEqual(['broken alpha: SKILL.md']);
  });

  test('that is a link is not followed, at start or later, while a configured directory may be one', async () => {
    const directory = await makeDirectory();
    const elsewhere = await makeDirectory();
    await writeSkill(elsewhere, 'linked');
    await mkdir(join(directory, 'real'));
    await symlink(join(directory, 'real'), join(directory, 'configured'));
    await symlink(join(elsewhere, 'linked'), join(directory, 'real', 'linked'));
    const { told, watch } = makeWatch(join(directory, 'configured'));
    await watch.start();
    await symlink(join(elsewhere, 'linked'), join(directory, 'real', 'linked2'));
    await writeSkill(join(directory, 'real'), 'alpha');
    await toldWithin(told, ['skill alpha: Do it.']);
  });

  test('with a file name that no path may have is broken', async () => {
    const { told } = await toldOf((folder) => writeFile(join(folder, 'a\nb'), 'text'));
    expect(summaryOf(told)).toEqual(['broken alpha: files/a\\u000ab']);
  });
});

const repository = fileURLToPath(new URL('../..', import.meta.url));
const evalSkills = resolve(repository, process.env.HESTIA_EVAL_DIR ?? '../shared/eval', 'skills');
const realDirectories = [join(repository, 'skills'), evalSkills].filter((directory) => existsSync(directory));

describe('real skills', () => {
  test.each(realDirectories.map((directory) => [basename(dirname(directory)), directory]))(
    'of %s are all taken as they are',
    async (_owner, directory) => {
      const entries = await readdir(directory, { withFileTypes: true });
      const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      const { told, watch } = makeWatch(directory);
      expect((await watch.fullPass()).seen).toHaveLength(names.length);
      expect(told.map(({ kind, folderName }) => `${kind} ${folderName}`)).toEqual(
        names.sort().map((name) => `skill ${name}`),
      );
    },
  );
});
