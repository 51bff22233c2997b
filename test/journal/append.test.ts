/** Appending to the journal: groups, numbers, durability, and what a failed write leaves. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { growTree, leafHash } from '../../src/journal/merkle-tree.ts';
import { waitingAppendsMax } from '../../src/journal/segments/append-queue.ts';
import { segmentAt } from '../../src/journal/segments/segment.ts';
import { fileOperations, type SegmentOperations } from '../../src/journal/segments/segment-file.ts';
import { appendLines, createJournalFolder, storedLines, testLine } from '../support/journal-folder.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

/** An error of the operating system. */
function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Operations of which the next ones fail as given. Counts all calls. */
function faultyOperations() {
  const faults = { write: [] as (Error | number)[], truncate: [] as Error[], sync: [] as (Error | Promise<void>)[] };
  const calls = { write: 0, truncate: 0, sync: 0 };
  const operations: SegmentOperations = {
    writeSync: (descriptor, bytes, offset, length) => {
      calls.write += 1;
      const fault = faults.write.shift();
      if (fault instanceof Error) throw fault;
      return fileOperations.writeSync(descriptor, bytes, offset, fault ?? length);
    },
    ftruncateSync: (descriptor, length) => {
      calls.truncate += 1;
      const fault = faults.truncate.shift();
      if (fault !== undefined) throw fault;
      fileOperations.ftruncateSync(descriptor, length);
    },
    fdatasync: async (descriptor) => {
      calls.sync += 1;
      const fault = faults.sync.shift();
      if (fault instanceof Error) throw fault;
      await fault;
      await fileOperations.fdatasync(descriptor);
    },
  };
  return { faults, calls, operations };
}

describe('a journal', () => {
  test('numbers records from 1 and stores each as a line', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    expect(journal.size()).toBe(0);
    expect(journal.firstSeq()).toBe(1);
    expect(await appendLines(journal, 3)).toEqual([1, 2, 3]);
    expect(await appendLines(journal, 1)).toEqual([4]);
    const expected = [1, 2, 3, 4].map((seq) => `${testLine(seq)}\n`).join('');
    expect(readFileSync(segmentAt(folder.directory, 0).file, 'utf8')).toBe(expected);
    expect(await storedLines(journal)).toEqual([1, 2, 3, 4].map((seq) => [seq, testLine(seq)]));
  });

  test('takes the leaf hashes of its tree from the lines', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    await appendLines(journal, 300);
    const tree = growTree({ size: 0, frontier: [] });
    for (let seq = 1; seq <= 300; seq += 1) tree.append(leafHash(testLine(seq)));
    expect(journal.tree.size()).toBe(300);
    expect(journal.tree.root()).toEqual(tree.root());
  });

  test('writes all appends of one turn of the event loop at once', async () => {
    using folder = createJournalFolder();
    const { calls, operations } = faultyOperations();
    await using journal = await folder.open({ operations });
    await appendLines(journal, 500);
    expect(calls.write).toBe(1);
    expect(calls.sync).toBe(0);
  });

  test('reports the new size once for each group, before the appends resolve', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    const sizes: number[] = [];
    journal.onAppended((size) => sizes.push(size));
    await appendLines(journal, 3);
    expect(sizes).toEqual([3]);
    await appendLines(journal, 2);
    expect(sizes).toEqual([3, 5]);
  });

  test('refuses only the append whose line cannot be built, and gives its number to the next', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    const settled = await Promise.allSettled([
      journal.append(testLine),
      journal.append(() => {
        throw new TypeError('no line');
      }),
      journal.append((seq) => `${testLine(seq)}\n${testLine(seq + 1)}`),
      journal.append((seq) => testLine(seq, { text: 'x'.repeat(65_536) })),
      journal.append((seq) => testLine(seq, { text: '\u00e9'.repeat(32_768) })),
      journal.append(testLine),
    ]);
    const tooLong = { reason: { message: 'a record must be one line of at most 65535 bytes' } };
    const second = { status: 'fulfilled', value: 2 };
    expect(settled).toMatchObject([
      { value: 1 },
      { reason: { message: 'no line' } },
      tooLong,
      tooLong,
      tooLong,
      second,
    ]);
    expect(await storedLines(journal)).toEqual([1, 2].map((seq) => [seq, testLine(seq)]));
  });

  test('writes more than fits into one write in several', async () => {
    using folder = createJournalFolder();
    const { calls, operations } = faultyOperations();
    await using journal = await folder.open({ operations });
    const text = 'x'.repeat(60_000);
    const numbers = await Promise.all(
      Array.from({ length: 40 }, () => journal.append((seq) => testLine(seq, { text }))),
    );
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(calls.write).toBe(3);
    expect((await storedLines(journal)).map(([seq]) => seq)).toEqual(numbers);
  });

  test('refuses appends beyond the limit of those that wait', async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open();
    const settled = await Promise.allSettled(
      Array.from({ length: waitingAppendsMax + 1 }, () => journal.append(testLine)),
    );
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(waitingAppendsMax);
    expect(settled.at(-1)).toMatchObject({
      reason: { code: 'STORAGE_FAILED', type: 'overload', retryAfterSeconds: 1 },
    });
    expect(folder.failures).toEqual(['overload']);
  });

  test('writes what waits when it is disposed of, and refuses appends after that', async () => {
    using folder = createJournalFolder();
    const journal = await folder.open();
    const waiting = appendLines(journal, 2);
    await journal[Symbol.asyncDispose]();
    expect(await waiting).toEqual([1, 2]);
    await expect(journal.append(testLine)).rejects.toMatchObject({ message: 'the journal is closed' });
    await expect(journal.checkWritable()).rejects.toMatchObject({ message: 'the journal is closed' });
    await using again = await folder.open();
    expect(again.size()).toBe(2);
  });
});

describe('a group that cannot be written', () => {
  test('is cut off again, consumes no number, and the next one goes on', async () => {
    using folder = createJournalFolder();
    const { faults, operations } = faultyOperations();
    await using journal = await folder.open({ operations });
    await appendLines(journal, 2);
    // Half of the group is written before the disk is full.
    faults.write = [40, systemError('ENOSPC')];
    const settled = await Promise.allSettled([journal.append(testLine), journal.append(testLine)]);
    const full = { status: 'rejected', reason: { code: 'STORAGE_FAILED', type: 'full' } };
    expect(settled).toMatchObject([full, full]);
    expect(folder.failures).toEqual(['full']);
    expect(journal.size()).toBe(2);
    expect(statSync(segmentAt(folder.directory, 0).file).size).toBe(`${testLine(1)}\n${testLine(2)}\n`.length);
    expect(await appendLines(journal, 1)).toEqual([3]);
    expect(await storedLines(journal)).toEqual([1, 2, 3].map((seq) => [seq, testLine(seq)]));
  });

  test('is cut off before the next one if it cannot be at once', async () => {
    using folder = createJournalFolder();
    const { faults, operations } = faultyOperations();
    await using journal = await folder.open({ operations });
    faults.write = [10, systemError('EIO')];
    faults.truncate = [systemError('EIO'), systemError('EIO')];
    await expect(journal.append(testLine)).rejects.toMatchObject({ type: 'io' });
    await expect(journal.append(testLine)).rejects.toMatchObject({ type: 'io' });
    expect(await journal.append(testLine)).toBe(1);
    expect(await storedLines(journal)).toEqual([[1, testLine(1)]]);
  });

  test('makes the journal not writable until a write succeeds', async () => {
    using folder = createJournalFolder();
    const { faults, operations } = faultyOperations();
    let elapsed = 0;
    await using journal = await folder.open({ operations, elapsedMs: () => elapsed });
    await journal.checkWritable();
    faults.write = [systemError('ENOSPC')];
    await expect(journal.append(testLine)).rejects.toMatchObject({ type: 'full' });
    await expect(journal.checkWritable()).rejects.toMatchObject({ type: 'full' });
    elapsed += 200;
    faults.write = [100, systemError('ENOSPC')];
    await expect(journal.checkWritable()).rejects.toMatchObject({ type: 'full' });
    elapsed += 200;
    await journal.checkWritable();
    expect(statSync(segmentAt(folder.directory, 0).file).size).toBe(0);
    expect(await journal.append(testLine)).toBe(1);
  });
});

describe('a journal with durability full', () => {
  test('puts each group on the disk once, while the next one gathers', async () => {
    using folder = createJournalFolder();
    const { faults, calls, operations } = faultyOperations();
    await using journal = await folder.open({ operations, durability: 'full' });
    const disk = Promise.withResolvers<void>();
    faults.sync = [disk.promise];
    const first = appendLines(journal, 3);
    await expect.poll(() => calls.sync).toBe(1);
    const second = appendLines(journal, 2);
    const third = appendLines(journal, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([calls.write, journal.size()]).toEqual([1, 0]);
    disk.resolve();
    expect(await Promise.all([first, second, third])).toEqual([
      [1, 2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect([calls.write, calls.sync]).toEqual([2, 2]);
  });

  test('removes a group that the disk did not confirm', async () => {
    using folder = createJournalFolder();
    const { faults, operations } = faultyOperations();
    await using journal = await folder.open({ operations, durability: 'full' });
    await appendLines(journal, 1);
    faults.sync = [systemError('EIO')];
    await expect(journal.append((seq) => testLine(seq, { text: 'lost' }))).rejects.toMatchObject({ type: 'io' });
    expect(journal.tree.size()).toBe(1);
    expect(await appendLines(journal, 1)).toEqual([2]);
    expect(await storedLines(journal)).toEqual([1, 2].map((seq) => [seq, testLine(seq)]));
  });
});

describeWith('mount', 'a full disk', () => {
  test('refuses a group, and takes the next one once it is freed', async () => {
    using disk = mountSmallDisk(2_097_152);
    using folder = createJournalFolder();
    const directory = join(disk.folder, 'journal');
    await using journal = await folder.open({ directory });
    mkdirSync(join(disk.folder, 'other'));
    await appendLines(journal, 1);
    writeFileSync(join(disk.folder, 'other', 'ballast'), Buffer.alloc(1_700_000));
    const text = 'x'.repeat(60_000);
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, () => journal.append((seq) => testLine(seq, { text }))),
    );
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    expect(folder.failures).toEqual(['full']);
    await expect(journal.checkWritable()).rejects.toMatchObject({ type: 'full' });
    expect(await storedLines(journal)).toEqual([[1, testLine(1)]]);
    rmSync(join(disk.folder, 'other', 'ballast'));
    expect(await appendLines(journal, 2)).toEqual([2, 3]);
    await journal.checkWritable();
  });

  test('is noticed by the check before a write fails', async () => {
    using disk = mountSmallDisk(1_048_576);
    using folder = createJournalFolder();
    let elapsed = 0;
    await using journal = await folder.open({ directory: join(disk.folder, 'journal'), elapsedMs: () => elapsed });
    await journal.checkWritable();
    writeFileSync(join(disk.folder, 'ballast'), Buffer.alloc(900_000));
    elapsed += 200;
    await expect(journal.checkWritable()).rejects.toMatchObject({ type: 'full' });
    rmSync(join(disk.folder, 'ballast'));
    elapsed += 200;
    await journal.checkWritable();
  });
});
