/** `kill -9` while a process appends: what it was answered is in the journal, once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createJournalFolder, storedLines } from '../../support/journal-folder.ts';

const rounds = 5;

/** Starts a process that appends without end, 8 at a time, and prints the number and id of each record that is appended. */
function startWriter(directory: string, { durability, id }: { durability: string; id: number }) {
  const module = fileURLToPath(new URL('../../../src/journal/journal.ts', import.meta.url));
  const code = `const { openJournal } = await import(${JSON.stringify(module)});
    const journal = await openJournal({ directory: ${JSON.stringify(directory)}, durability: '${durability}',
      now: Date.now, limits: { segmentBytesMax: 100_000 } });
    let count = 0;
    const writer = async () => {
      for (;;) {
        const text = '${id}-' + (count += 1);
        const seq = await journal.append((seq) => JSON.stringify({ seq, text, time: new Date().toISOString() }));
        process.stdout.write(seq + ' ' + text + '\\n');
      }
    };
    await Promise.all(Array.from({ length: 8 }, writer));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answered: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => answered.push(line));
  return { child, answered };
}

describe.each(['normal', 'full'])('a process with durability %s that is killed while it appends', (durability) => {
  test(`loses nothing that it was answered and stores nothing twice, ${rounds} times`, async () => {
    using folder = createJournalFolder();
    const answered: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const writer = startWriter(folder.directory, { durability, id: round });
      await expect.poll(() => writer.answered.length).toBeGreaterThan(40 * round);
      const closed = once(writer.child.stdout, 'close');
      writer.child.kill('SIGKILL');
      await closed;
      // The last line may be incomplete.
      answered.push(...writer.answered.slice(0, -1));
      await using journal = await folder.open();
      const stored = (await storedLines(journal)).map(([seq, line]) => {
        const record: { seq: number; text: string } = JSON.parse(line);
        expect(record.seq).toBe(seq);
        return `${seq} ${record.text}`;
      });
      expect(stored.map((line) => Number(line.split(' ')[0]))).toEqual(stored.map((_, index) => index + 1));
      expect(new Set(stored.map((line) => line.split(' ')[1])).size).toBe(stored.length);
      const found = new Set(stored);
      expect(answered.filter((line) => !found.has(line))).toEqual([]);
      expect(journal.tree.size()).toBe(stored.length);
    }
    expect(answered.length).toBeGreaterThan(500);
  });
});
