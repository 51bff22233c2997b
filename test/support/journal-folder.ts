/** A temporary journal for tests: its folder, lines as records have them, and the failures it reported. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Journal, type JournalDeps, openJournal } from '../../src/journal/journal.ts';
import type { StorageErrorType } from '../../src/shapes/storage.ts';

/** A folder for one journal. Disposing deletes it. */
export interface JournalFolder extends Disposable {
  directory: string;
  /** The failures that journals of this folder reported. */
  failures: StorageErrorType[];
  /** Opens the journal. */
  open(deps?: Partial<JournalDeps>): Promise<Journal>;
}

/** Creates an empty folder. */
export function createJournalFolder(): JournalFolder {
  const folder = mkdtempSync(join(tmpdir(), 'hestia-journal-'));
  const directory = join(folder, 'journal');
  const failures: StorageErrorType[] = [];
  return {
    directory,
    failures,
    open: (deps) =>
      openJournal({
        directory,
        durability: 'normal',
        now: Date.now,
        onFailure: ({ type }) => failures.push(type),
        ...deps,
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A line with the members that the journal reads, and one of its own. */
export function testLine(seq: number, { time = '2026-11-27T12:00:00.000Z', text = `record ${seq}` } = {}): string {
  return JSON.stringify({ seq, text, time });
}

/** Appends `count` lines in one turn of the event loop. Returns their numbers. */
export function appendLines(journal: Journal, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => journal.append((seq) => testLine(seq))));
}

/** All lines that the journal stores, by number. */
export async function storedLines(journal: Journal): Promise<[number, string][]> {
  const lines: [number, string][] = [];
  if (journal.firstSeq() > journal.size()) return lines;
  for await (const page of journal.read({ from: journal.firstSeq(), to: journal.size() }))
    for (const { seq, line } of page) lines.push([seq, line]);
  return lines;
}
