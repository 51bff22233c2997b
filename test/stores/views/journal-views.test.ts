/** The views of a real journal: they follow its segments while it appends and deletes. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Journal } from '../../../src/journal/journal.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import { type AuditViews, createAuditViews } from '../../../src/stores/views/audit-views.ts';
import { createJournalFolder } from '../../support/journal-folder.ts';
import { outcomeEntry } from '../../support/views-stage.ts';

const patient = { timeout: 60_000 };

function viewsOf(directory: string, journal: Journal, logged: unknown[] = []): AuditViews {
  const log = (message: string, fields?: object) => void logged.push({ message, ...fields });
  return createAuditViews({
    file: join(directory, 'views.db'),
    journalDirectory: directory,
    journal,
    log: { info: log, warn: log, error: log },
  });
}

async function append(journal: Journal, count: number): Promise<number> {
  const appended = Array.from({ length: count }, () =>
    journal.append((seq) => recordLine(outcomeEntry({}, { time: new Date().toISOString() }), seq)),
  );
  return Math.max(...(await Promise.all(appended)));
}

test(
  'every record is in the views exactly once, over many segments and while the journal appends',
  patient,
  async () => {
    using folder = createJournalFolder();
    await using journal = await folder.open({ limits: { segmentBytesMax: 100_000 } });
    await using views = viewsOf(folder.directory, journal);
    for (let round = 1; round <= 20; round += 1) {
      const newest = await append(journal, 100);
      const listed = await views.list({ after: newest - 100, limit: 1000 });
      expect(listed.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, at) => newest - 99 + at));
    }
    expect(readdirSync(join(folder.directory, 'segments')).length).toBeGreaterThan(5);
    expect((await views.statistics({}))[0]?.calls).toBe(2000);
    expect(views.lagSeconds()).toBe(0);
  },
);

test.each([
  ['leave the views', true],
  ['before the views include them are not waited for', false],
])('records that the journal deletes %s, and views built anew have the rest', patient, async (_what, isIncluded) => {
  using folder = createJournalFolder();
  await using journal = await folder.open({ limits: { segmentBytesMax: 100_000 } });
  const views = viewsOf(folder.directory, journal);
  for (let round = 1; round <= 10; round += 1) await append(journal, 100);
  const coveredSize = journal.size() - 300;
  if (isIncluded) await views.waitFor(journal.size());
  const { records } = await journal.retire({ before: Date.now() + 1000, coveredSize });
  expect(records).toBeGreaterThan(100);
  const pruning = views.prune(journal.firstSeq());
  // A thread that misses the records it was about to read is restarted, and begins with the oldest ones that are left.
  if (isIncluded) await pruning;
  else await pruning.catch(() => undefined);
  const left = async (from: AuditViews) => (await from.list({ after: 0, limit: 1000 })).map(({ seq }) => seq);
  const expected = Array.from({ length: 1000 - records }, (_, at) => records + 1 + at);
  expect(await left(views)).toEqual(expected);
  await views[Symbol.asyncDispose]();
  rmSync(join(folder.directory, 'views.db'));
  await using anew = viewsOf(folder.directory, journal);
  expect(await left(anew)).toEqual(expected);
});

test('the log names the progress of views with many records that are built anew', patient, async () => {
  using folder = createJournalFolder();
  await using journal = await folder.open();
  for (let round = 1; round <= 25; round += 1) await append(journal, 1000);
  const logged: unknown[] = [];
  await using views = viewsOf(folder.directory, journal, logged);
  await views.waitFor(journal.size(), { timeoutMs: Number.POSITIVE_INFINITY });
  expect(logged.at(0)).toEqual({
    message: 'The views of the audit trail are being built',
    position: 0,
    records: 25_000,
  });
  expect(logged.at(-1)).toEqual({
    message: 'The views of the audit trail are complete',
    records: 25_000,
    seconds: expect.any(Number),
  });
});
