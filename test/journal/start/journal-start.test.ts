/** Opening a journal: incomplete lines, one process at a time, folders that cannot be written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { segmentAt } from '../../../src/journal/segments/segment.ts';
import { tileFile } from '../../../src/journal/tile-files.ts';
import { appendLines, createJournalFolder, storedLines, testLine } from '../../support/journal-folder.ts';
import { describeWith } from '../../support/programs/requirements.ts';

describe('an incomplete last line', () => {
  test.each(['{"seq":4,"text":"rec', '\0'.repeat(5000), ' '.repeat(4096)])('is cut and reported: %j', async (torn) => {
    using folder = createJournalFolder();
    const { file } = segmentAt(folder.directory, 0);
    {
      await using journal = await folder.open();
      await appendLines(journal, 3);
      expect(journal.tornBytes).toBe(0);
    }
    const { size } = statSync(file);
    appendFileSync(file, torn);
    await using journal = await folder.open();
    expect(journal.tornBytes).toBe(torn.length);
    expect(statSync(file).size).toBe(size);
    expect(await appendLines(journal, 1)).toEqual([4]);
    expect((await storedLines(journal)).map(([, line]) => line)).toEqual([1, 2, 3, 4].map((seq) => testLine(seq)));
  });

  test('is cut where it is the only one', async () => {
    using folder = createJournalFolder();
    {
      await using journal = await folder.open();
      expect(journal.size()).toBe(0);
    }
    writeFileSync(segmentAt(folder.directory, 0).file, '{"seq":1');
    await using journal = await folder.open();
    expect([journal.tornBytes, journal.size()]).toEqual([8, 0]);
    expect(await appendLines(journal, 1)).toEqual([1]);
  });
});

describe('tiles of records that a loss of power removed', () => {
  test('do not condemn the records that take their place', async () => {
    using folder = createJournalFolder();
    const { file } = segmentAt(folder.directory, 0);
    {
      await using journal = await folder.open();
      await appendLines(journal, 600);
    }
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, 200);
    writeFileSync(file, `${lines.join('\n')}\n`);
    {
      await using journal = await folder.open();
      expect(journal.size()).toBe(200);
      for (let seq = 201; seq <= 600; seq += 1)
        await journal.append((number) => testLine(number, { text: 'written again' }));
    }
    await using journal = await folder.open();
    expect(journal.size()).toBe(600);
  });

  test('are removed at the start', async () => {
    using folder = createJournalFolder();
    {
      await using journal = await folder.open();
      await appendLines(journal, 600);
    }
    writeFileSync(segmentAt(folder.directory, 0).file, '');
    await using _journal = await folder.open();
    for (const index of [0, 1])
      expect(statSync(tileFile(folder.directory, { level: 0, index }), { throwIfNoEntry: false })).toBeUndefined();
  });
});

/** A process that opens the journal in `directory` and keeps it open. */
function holdJournal(directory: string) {
  const module = fileURLToPath(new URL('../../../src/journal/journal.ts', import.meta.url));
  const code = `const { openJournal } = await import(${JSON.stringify(module)});
    const journal = await openJournal({ directory: ${JSON.stringify(directory)}, durability: 'normal', now: Date.now });
    await journal.append((seq) => JSON.stringify({ seq, time: new Date().toISOString() }));
    console.log('open');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  return {
    child,
    opened: async () => void (await once(child.stdout, 'data')),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('a journal that another process writes', () => {
  test('is refused with the name of that process, and taken over after it died', async () => {
    using folder = createJournalFolder();
    {
      await using holder = holdJournal(folder.directory);
      await holder.opened();
      await expect(folder.open()).rejects.toMatchObject({
        name: 'JournalOpenError',
        isBroken: false,
        message: expect.stringMatching(
          new RegExp(`^${folder.directory}: .*: process ${holder.child.pid} on .* since 20.*; stop it first$`),
        ),
      });
    }
    await using journal = await folder.open();
    expect(await appendLines(journal, 1)).toEqual([2]);
  });

  test('is refused within one process too', async () => {
    using folder = createJournalFolder();
    const journal = await folder.open();
    await expect(folder.open()).rejects.toThrow(`process ${process.pid} on`);
    await journal[Symbol.asyncDispose]();
    await using again = await folder.open();
    expect(again.size()).toBe(0);
  });
});

describeWith('root', 'a folder that the process may not write', () => {
  test('is refused with the folder and the reason', async () => {
    using folder = createJournalFolder();
    mkdirSync(join(folder.directory, 'segments'), { recursive: true });
    process.seteuid?.('nobody');
    try {
      await expect(folder.open()).rejects.toMatchObject({ name: 'JournalOpenError', isBroken: false });
      await expect(folder.open()).rejects.toThrow(`${folder.directory}: cannot open the journal:`);
    } finally {
      process.seteuid?.(0);
    }
    await using journal = await folder.open();
    expect(journal.size()).toBe(0);
  });
});

describe('a folder that cannot be created', () => {
  test('is refused where a file has its name', async () => {
    using folder = createJournalFolder();
    writeFileSync(folder.directory, '');
    await expect(folder.open()).rejects.toThrow(`${folder.directory}: cannot open the journal:`);
    expect(statSync(dirname(folder.directory)).isDirectory()).toBe(true);
  });
});

describe('a segment that is no journal', () => {
  test('is refused with the name of the file', async () => {
    using folder = createJournalFolder();
    mkdirSync(join(folder.directory, 'segments'), { recursive: true });
    writeFileSync(segmentAt(folder.directory, 0).file, 'no record\n');
    await expect(folder.open()).rejects.toMatchObject({ isBroken: true });
    await expect(folder.open()).rejects.toThrow('its last line is not record 1');
  });
});
