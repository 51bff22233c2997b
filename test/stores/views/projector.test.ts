/** The projector in bad times: views that are missing, damaged or of another journal, a dead thread, records that are not valid. */
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { recordLine } from '../../../src/journal/record-line.ts';
import { segmentAt } from '../../../src/journal/segments/segment.ts';
import { HestiaError } from '../../../src/shapes/error.ts';
import type { AuditViews } from '../../../src/stores/views/audit-views.ts';
import { auditEntry, openViewsStage, outcomeEntry, type ViewsStage } from '../../support/views-stage.ts';

const bob = auditEntry({ agent_id: 'bob' });
/** A restart of the thread can take seconds on a busy machine. */
const patient = { timeout: 30_000 };

/** The numbers of the records in the views, once they include the whole journal. */
async function listed(views: AuditViews, stage: ViewsStage, filter: object = {}): Promise<number[]> {
  await views.waitFor(stage.journal.size(), { timeoutMs: 30_000 });
  return (await views.list({ after: 0, limit: 10_000, ...filter })).map(({ seq }) => seq);
}

const upTo = (size: number) => Array.from({ length: size }, (_, index) => index + 1);

/** Opens the file of the views, which no view has open, and changes it. */
function alter(stage: ViewsStage, sql: string): void {
  using database = new DatabaseSync(stage.file);
  database.exec(sql);
}

const messagesOf = (stage: ViewsStage) => stage.logged.map(({ message }) => message);
const reasonsOf = (stage: ViewsStage) => stage.logged.map(({ fields }) => fields?.reason);

test('views that were stopped go on where they were, with every record once', async () => {
  await using stage = await openViewsStage();
  stage.append(...Array.from({ length: 300 }, () => bob));
  const before = stage.start();
  expect(await listed(before, stage)).toEqual(upTo(300));
  await before[Symbol.asyncDispose]();
  stage.closeSegment();
  stage.append(bob, bob);
  expect(await listed(stage.start(), stage)).toEqual(upTo(302));
  expect(messagesOf(stage)).toEqual([]);
});

test(
  'a thread that is killed in the middle of its work is restarted, and repeats and loses nothing',
  patient,
  async () => {
    await using stage = await openViewsStage();
    const views = stage.start();
    const size = 20_000;
    for (let at = 0; at < size; at += 1000) stage.append(...Array.from({ length: 1000 }, () => outcomeEntry()));
    for (let kills = 0; kills < 4; kills += 1) {
      const started = kills + 1;
      await vi.waitFor(() => expect(stage.workers).toHaveLength(started), patient);
      const from = views.position();
      await vi.waitFor(() => expect(views.position() > from || from === size).toBe(true), patient);
      await stage.workers.at(-1)?.terminate();
    }
    expect(await listed(views, stage, { limit: size })).toEqual(upTo(size));
    const [statistics] = await views.statistics({});
    expect(statistics?.calls).toBe(size);
    expect(messagesOf(stage)).toContain('The projector of the audit trail has stopped and is restarted');
  },
);

test('a file that was deleted while the hub was stopped is built anew', async () => {
  await using stage = await openViewsStage();
  stage.append(bob, bob, bob);
  const before = stage.start();
  await listed(before, stage);
  await before[Symbol.asyncDispose]();
  rmSync(stage.file);
  expect(await listed(stage.start(), stage)).toEqual([1, 2, 3]);
});

test('a write-ahead log that is left of a deleted file is not applied to the new one', async () => {
  await using stage = await openViewsStage();
  stage.append(bob);
  const before = stage.start();
  await listed(before, stage);
  const log = readFileSync(`${stage.file}-wal`);
  expect(log.length).toBeGreaterThan(0);
  await before[Symbol.asyncDispose]();
  rmSync(stage.file);
  writeFileSync(`${stage.file}-wal`, log);
  rmSync(segmentAt(stage.folder, 0).file);
  stage.setSize(0);
  stage.append(auditEntry({ agent_id: 'eve' }));
  expect(await listed(stage.start(), stage, { agentId: 'eve' })).toEqual([1]);
});

test.each([
  ['is not a database', (stage: ViewsStage) => writeFileSync(stage.file, 'x'.repeat(8192)), /not a database/],
  ['is empty', (stage: ViewsStage) => truncateSync(stage.file), undefined],
  ['lost its end', (stage: ViewsStage) => truncateSync(stage.file, 8192), /malformed/],
  ['is of another version', (stage: ViewsStage) => alter(stage, 'PRAGMA user_version = 99'), /not the views/],
])('a file that %s at the start is built anew, and the log says why', async (_what, damage, reason) => {
  await using stage = await openViewsStage();
  stage.append(...Array.from({ length: 200 }, () => bob));
  const before = stage.start();
  await listed(before, stage);
  await before[Symbol.asyncDispose]();
  damage(stage);
  const views = stage.start();
  expect(await listed(views, stage)).toEqual(upTo(200));
  if (reason !== undefined) expect(reasonsOf(stage)).toContainEqual(expect.stringMatching(reason));
});

test('a file that is deleted while the hub runs is built anew, and reads answer as before', patient, async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(bob, bob);
  expect(await listed(views, stage)).toEqual([1, 2]);
  rmSync(stage.file);
  await vi.waitFor(async () => {
    stage.append(bob);
    expect(await listed(views, stage)).toEqual(upTo(stage.journal.size()));
    expect(stage.workers).toHaveLength(2);
  }, patient);
  expect(await listed(views, stage)).toEqual(upTo(stage.journal.size()));
  expect(reasonsOf(stage)).toContainEqual(expect.stringContaining('was deleted'));
  using database = new DatabaseSync(stage.file, { readOnly: true });
  expect(database.prepare('SELECT max(seq) AS newest FROM records').get()).toEqual({ newest: stage.journal.size() });
});

test('a file that is damaged while the hub runs gives no wrong answer, and is built anew', patient, async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(...Array.from({ length: 500 }, () => bob));
  await listed(views, stage);
  using database = new DatabaseSync(stage.file);
  // Valid for SQLite, but the records are not those of their rows.
  database.exec(`UPDATE records SET body = replace(body, '"bob"', 'bob') WHERE seq = 400`);
  const answers = async () => {
    try {
      return await views.list({ after: 0, limit: 1000, agentId: 'bob' });
    } catch (error) {
      expect(error).toBeInstanceOf(HestiaError);
      expect(error).toMatchObject({ code: 'VIEWS_UNAVAILABLE' });
      return undefined;
    }
  };
  expect(await answers()).toBeUndefined();
  database.close();
  await vi.waitFor(async () => expect(await answers()).toHaveLength(500), patient);
  expect(messagesOf(stage)).toContain('The views of the audit trail cannot be read');
  expect(stage.failures).toEqual([]);
});

test('views of another journal are built anew', async () => {
  await using stage = await openViewsStage();
  stage.append(bob, bob, bob);
  const before = stage.start();
  await listed(before, stage);
  await before[Symbol.asyncDispose]();
  const ada = recordLine(auditEntry({ agent_id: 'eve' }), 1);
  writeFileSync(
    segmentAt(stage.folder, 0).file,
    `${[1, 2, 3].map((seq) => ada.replace('"seq":1', `"seq":${seq}`)).join('\n')}\n`,
  );
  const views = stage.start();
  expect(await listed(views, stage, { agentId: 'eve' })).toEqual([1, 2, 3]);
  expect(reasonsOf(stage)).toEqual(['record 3 of the journal is another one']);
});

test('views that have more records than the journal are built anew', async () => {
  await using stage = await openViewsStage();
  stage.append(bob, bob, bob);
  const before = stage.start();
  await listed(before, stage);
  await before[Symbol.asyncDispose]();
  const [line] = [recordLine(bob, 1)];
  writeFileSync(segmentAt(stage.folder, 0).file, `${line}\n`);
  stage.setSize(1);
  expect(await listed(stage.start(), stage)).toEqual([1]);
  expect(reasonsOf(stage)).toEqual(['the journal ends with record 1, and the views with 3']);
});

test('a line that is not a valid record is kept, reported, left out of lists, and stops nothing', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(bob);
  stage.appendLine('{"seq":2,"half');
  stage.appendLine(recordLine(bob, 7));
  stage.append(bob);
  expect(await listed(views, stage)).toEqual([1, 4]);
  expect(views.position()).toBe(4);
  const reported = stage.logged.filter(({ level }) => level === 'error');
  expect(reported.map(({ fields }) => fields?.record_numbers).join(', ')).toBe('2, 3');
  using database = new DatabaseSync(stage.file, { readOnly: true });
  expect(database.prepare('SELECT body FROM records WHERE seq = 2').get()).toEqual({ body: '{"seq":2,"half' });
});

test('only lines that the journal has confirmed are read', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(bob);
  appendFileSync(segmentAt(stage.folder, 0).file, `${recordLine(bob, 2)}\n`);
  expect(await listed(views, stage)).toEqual([1]);
  await expect(views.waitFor(2, { timeoutMs: 300 })).rejects.toMatchObject({
    code: 'VIEWS_UNAVAILABLE',
    message: expect.stringContaining('do not include record 2 yet: they are at record 1 of 1'),
    retryAfterSeconds: 5,
  });
});

test('pruning deletes rows in slices, and the views go on', patient, async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(...Array.from({ length: 3500 }, () => bob));
  await listed(views, stage);
  await views.prune(3201);
  // A second request finds nothing to delete.
  await views.prune(3201);
  expect((await listed(views, stage)).at(0)).toBe(3201);
  stage.append(bob);
  expect(await listed(views, stage)).toEqual(upTo(3501).slice(3200));
});

test(
  'rows of records that the journal deleted while the hub was stopped are deleted at the start',
  patient,
  async () => {
    await using stage = await openViewsStage();
    stage.append(...Array.from({ length: 100 }, () => bob));
    stage.closeSegment();
    stage.append(bob, bob);
    const before = stage.start();
    await listed(before, stage);
    await before[Symbol.asyncDispose]();
    rmSync(segmentAt(stage.folder, 0).file);
    stage.setFirstSeq(101);
    const views = stage.start();
    await vi.waitFor(async () => expect(await listed(views, stage)).toEqual([101, 102]), patient);
  },
);

test('views that are built anew begin with the oldest record of the journal', async () => {
  await using stage = await openViewsStage();
  stage.append(bob);
  stage.closeSegment();
  stage.append(bob, bob);
  rmSync(segmentAt(stage.folder, 0).file);
  stage.setFirstSeq(2);
  expect(await listed(stage.start(), stage)).toEqual([2, 3]);
});

test('a file that another process locks delays the views, which are then late, and say so', patient, async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(bob);
  await listed(views, stage);
  expect(views.lagSeconds()).toBe(0);
  using database = new DatabaseSync(stage.file);
  database.exec('BEGIN IMMEDIATE');
  stage.append(bob);
  await expect(views.waitFor(2, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE' });
  const types = () => stage.logged.map(({ fields }) => fields?.error_type);
  await vi.waitFor(() => expect(types()).toContain('busy'), patient);
  expect(stage.failures).toEqual([]);
  expect(views.lagSeconds()).toBeGreaterThan(0.5);
  database.exec('ROLLBACK');
  expect(await listed(views, stage)).toEqual([1, 2]);
  expect(views.lagSeconds()).toBe(0);
});

test('a wait ends with the views', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const wait = views.waitFor(5, { timeoutMs: Number.POSITIVE_INFINITY });
  await Promise.all([expect(wait).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE' }), views[Symbol.asyncDispose]()]);
  await expect(views.list({ after: 0, limit: 1 })).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE' });
});
