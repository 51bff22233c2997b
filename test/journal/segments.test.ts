/** Segments of the journal: when one begins, reading by number, deleting, and files that change under the process. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { holdsInclusion } from '../../src/journal/merkle-proof.ts';
import { leafHash } from '../../src/journal/merkle-tree.ts';
import { listSegments, segmentAt } from '../../src/journal/segments/segment.ts';
import { createSegmentReader, readSegments } from '../../src/journal/segments/segment-reader.ts';
import { appendLines, createJournalFolder, storedLines, testLine } from '../support/journal-folder.ts';

const dayMs = 86_400_000;

/** Appends `groups` groups of `size` lines, each in a segment of its own. */
async function appendSegments(journal: Journal, groups: number, size = 10): Promise<void> {
  for (let group = 0; group < groups; group += 1) await appendLines(journal, size);
}

const onePerGroup = { segmentBytesMax: 1 };

async function firsts(directory: string): Promise<number[]> {
  return (await listSegments(directory)).map(({ first }) => first);
}

async function numbers(pages: AsyncIterable<readonly { seq: number; line: string }[]>): Promise<number[]> {
  const found: number[] = [];
  for await (const page of pages)
    for (const { seq, line } of page) {
      expect(line).toBe(testLine(seq));
      found.push(seq);
    }
  return found;
}

const counted = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a segment', () => {
  test('is closed when it has its most bytes, and the next is named by the records before it', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: { segmentBytesMax: 400 } });
    for (let group = 0; group < 6; group += 1) await appendLines(journal, 4);
    expect(readdirSync(join(folder.directory, 'segments'))).toEqual([
      '00000000000000000000.ndjson',
      '00000000000000000008.ndjson',
      '00000000000000000016.ndjson',
    ]);
    expect(await storedLines(journal)).toHaveLength(24);
  });

  test('is closed after its longest age, which the system time does not change', async () => {
    using folder = createJournalFolder();
    let elapsed = 0;
    let now = Date.parse('2026-11-27T12:00:00Z');
    await using journal = await folder.open({ elapsedMs: () => elapsed, now: () => now });
    await appendLines(journal, 1);
    now -= 400 * dayMs;
    await appendLines(journal, 1);
    now += 800 * dayMs;
    await appendLines(journal, 1);
    expect(await firsts(folder.directory)).toEqual([0]);
    elapsed += dayMs;
    await appendLines(journal, 1);
    await appendLines(journal, 1);
    expect(await firsts(folder.directory)).toEqual([0, 3]);
  });

  test('keeps its age over a restart, and is young where the clock jumped back', async () => {
    using folder = createJournalFolder();
    const began = Date.parse('2026-11-27T12:00:00.000Z');
    const appendAt = async (now: number) => {
      await using journal = await folder.open({ now: () => now });
      await appendLines(journal, 1);
    };
    await appendAt(began);
    await appendAt(began + dayMs - 60_000);
    await appendAt(began - 400 * dayMs);
    expect(await firsts(folder.directory)).toEqual([0]);
    await appendAt(began + dayMs);
    expect(await firsts(folder.directory)).toEqual([0, 3]);
  });

  test('takes further lines where the next cannot be created', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: onePerGroup });
    await appendLines(journal, 1);
    mkdirSync(segmentAt(folder.directory, 1).file);
    expect(await appendLines(journal, 1)).toEqual([2]);
    expect(folder.failures).toEqual(['other']);
    rmSync(segmentAt(folder.directory, 1).file, { recursive: true });
    expect(await appendLines(journal, 1)).toEqual([3]);
    expect(await firsts(folder.directory)).toEqual([0, 2]);
  });
});

describe('reading by number', () => {
  test('yields exactly the range, over segments and from any place', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: { segmentBytesMax: 50_000 } });
    await appendSegments(journal, 40, 100);
    expect((await firsts(folder.directory)).length).toBeGreaterThan(4);
    const ranges = [
      [1, 4000],
      [3999, 4000],
      [777, 777],
      [1, 1],
      [500, 2600],
      [2599, 2601],
      [900, 1300],
    ] as const;
    for (const [from, to] of ranges) {
      expect(await numbers(journal.read({ from, to }))).toEqual(counted(from, to));
      expect(await numbers(readSegments(folder.directory, { from, to }))).toEqual(counted(from, to));
    }
  });

  test('follows a journal that grows, without its process', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: { segmentBytesMax: 5000 } });
    const reader = createSegmentReader({ directory: folder.directory });
    let next = 1;
    for (let round = 0; round < 30; round += 1) {
      await appendLines(journal, 17);
      expect(await numbers(reader.read({ from: next, to: journal.size() }))).toEqual(counted(next, journal.size()));
      next = journal.size() + 1;
    }
    appendFileSync(segmentAt(folder.directory, (await firsts(folder.directory)).at(-1) ?? 0).file, '{"seq":');
    expect(await numbers(reader.read({ from: next - 3, to: Number.POSITIVE_INFINITY }))).toEqual(
      counted(next - 3, next - 1),
    );
  });

  test('reports what is missing', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: onePerGroup });
    await appendSegments(journal, 3);
    const read = (from: number, to: number) => numbers(journal.read({ from, to }));
    await expect(read(25, 31)).rejects.toMatchObject({
      type: 'corrupt',
      message: 'record 31 is missing in the journal',
    });
    const { file } = segmentAt(folder.directory, 10);
    truncateSync(file, statSync(file).size - 10);
    await expect(read(1, 30)).rejects.toMatchObject({
      type: 'corrupt',
      message: 'record 20 is missing in the journal',
    });
    rmSync(file);
    await expect(read(1, 30)).rejects.toMatchObject({ type: 'io' });
    await expect(numbers(readSegments(folder.directory, { from: 1, to: 30 }))).rejects.toMatchObject({
      type: 'corrupt',
    });
  });
});

describe('retirement', () => {
  const time = '2026-11-01T00:00:00.000Z';
  const old = { time };

  test('deletes whole closed segments that are old and covered, oldest first', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: onePerGroup });
    for (let group = 0; group < 4; group += 1)
      await Promise.all(counted(1, 100).map(() => journal.append((seq) => testLine(seq, old))));
    await appendLines(journal, 100);
    const announced: object[] = [];
    const range = { before: Date.parse(time) + 1, announce: async (plan: object) => void announced.push(plan) };
    expect(await journal.retire({ ...range, coveredSize: 99 })).toEqual({ records: 0 });
    expect(await journal.retire({ ...range, before: Date.parse(time), coveredSize: 500 })).toEqual({ records: 0 });
    expect(announced).toEqual([]);
    expect(await journal.retire({ ...range, coveredSize: 350 })).toEqual({ records: 300 });
    expect(announced).toEqual([{ firstSeq: 301, records: 300 }]);
    expect([journal.firstSeq(), journal.size()]).toEqual([301, 500]);
    expect(await firsts(folder.directory)).toEqual([300, 400, 500]);
    await expect(numbers(journal.read({ from: 300, to: 400 }))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await journal.retire({ ...range, coveredSize: 500 })).toEqual({ records: 100 });
    expect(await storedLines(journal)).toHaveLength(100);
  });

  test('keeps a segment whose last record is old only because the clock jumped back', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: onePerGroup });
    const append = (...times: string[]) =>
      Promise.all(times.map((at) => journal.append((seq) => testLine(seq, { time: at }))));
    await append('2026-11-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z');
    await append('2026-11-27T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
    await append('2026-01-01T00:00:00.000Z', '2026-11-27T00:00:00.000Z');
    await append('2026-11-27T00:00:00.000Z');
    const before = Date.parse('2026-11-20T00:00:00.000Z');
    expect(await journal.retire({ before, coveredSize: 7 })).toEqual({ records: 2 });
    expect(journal.firstSeq()).toBe(3);
  });

  test('deletes nothing that could not be announced', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: onePerGroup });
    await appendSegments(journal, 2);
    const announce = () => Promise.reject(new Error('not recorded'));
    await expect(journal.retire({ before: Date.now(), coveredSize: 20, announce })).rejects.toThrow('not recorded');
    expect(journal.firstSeq()).toBe(1);
  });

  test('keeps the tree, and every proof about what is left, where an incomplete tile lost records', async () => {
    using folder = createJournalFolder();
    let root: Buffer;
    {
      await using journal = await folder.open({ limits: onePerGroup });
      await appendSegments(journal, 29);
      root = journal.tree.root();
      expect(await journal.retire({ before: Date.now(), coveredSize: 280 })).toEqual({ records: 280 });
      // As after a crash: what disposing writes is not there.
      cpSync(folder.directory, `${folder.directory}-copy`, { recursive: true });
    }
    await using journal = await folder.open({ directory: `${folder.directory}-copy` });
    expect([journal.firstSeq(), journal.size()]).toEqual([281, 290]);
    expect(journal.tree.root()).toEqual(root);
    const path = await journal.tree.inclusionProof(285, 290);
    expect(holdsInclusion({ leaf: leafHash(testLine(286)), index: 285, size: 290, path, root })).toBe(true);
    expect(await appendLines(journal, 1)).toEqual([291]);
  });

  test('closes the last segment of a journal without traffic, so that it can go too', async () => {
    using folder = createJournalFolder();
    let elapsed = 0;
    await using journal = await folder.open({ elapsedMs: () => elapsed });
    await appendLines(journal, 5);
    expect(await journal.retire({ before: Date.now(), coveredSize: 5 })).toEqual({ records: 0 });
    elapsed += dayMs;
    expect(await journal.retire({ before: Date.now(), coveredSize: 5 })).toEqual({ records: 5 });
    expect([journal.firstSeq(), journal.size(), await storedLines(journal)]).toEqual([6, 5, []]);
    expect(await appendLines(journal, 1)).toEqual([6]);
  });
});

describe('the open segment, changed under the process', () => {
  const moved = { code: 'STORAGE_FAILED', type: 'io', message: 'the open segment of the journal was moved or deleted' };
  const refused = async (journal: Journal, error: object) => {
    await expect(journal.checkWritable()).rejects.toMatchObject(error);
    await expect(journal.append(testLine)).rejects.toMatchObject(error);
    expect(journal.size()).toBe(2);
  };

  test('is noticed when it is unlinked', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    await appendLines(journal, 2);
    rmSync(segmentAt(folder.directory, 0).file);
    await refused(journal, moved);
  });

  test('is noticed when it is renamed, and goes on when it is back', async () => {
    using folder = createJournalFolder();
    let elapsed = 0;
    await using journal = await folder.open({ elapsedMs: () => elapsed });
    await appendLines(journal, 2);
    const { file } = segmentAt(folder.directory, 0);
    renameSync(file, `${file}.old`);
    await refused(journal, moved);
    renameSync(`${file}.old`, file);
    elapsed += 200;
    await journal.checkWritable();
    expect(await appendLines(journal, 1)).toEqual([3]);
  });

  test('is noticed when a copy takes its place', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    await appendLines(journal, 2);
    const { file } = segmentAt(folder.directory, 0);
    cpSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
    await refused(journal, moved);
  });

  test('is noticed when the whole folder is moved', async () => {
    using folder = createJournalFolder();
    const journal = await folder.open();
    await appendLines(journal, 2);
    renameSync(folder.directory, `${folder.directory}-moved`);
    await refused(journal, moved);
    renameSync(`${folder.directory}-moved`, folder.directory);
    await journal[Symbol.asyncDispose]();
  });

  test.each([
    ['longer', (file: string) => appendFileSync(file, `${testLine(3)}\n`)],
    ['shorter', (file: string) => truncateSync(file, 10)],
    ['empty', (file: string) => writeFileSync(file, '')],
  ])('is noticed when another process makes it %s', async (_, change) => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    await appendLines(journal, 2);
    change(segmentAt(folder.directory, 0).file);
    await refused(journal, { type: 'corrupt' });
  });
});
