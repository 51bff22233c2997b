/** The queries of the views: each sees what was appended before it, and filters as the records say. */
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { newId } from '../../../src/shapes/id.ts';
import { auditEntry, entryTimeMs, openViewsStage, outcomeEntry } from '../../support/views-stage.ts';

const minute = (minutes: number) => new Date(entryTimeMs + minutes * 60_000).toISOString();
const seqs = (records: readonly { seq: number }[]) => records.map(({ seq }) => seq);

test('a list includes the record that was appended just before, exactly as it was appended', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const entry = auditEntry({ arguments_digest: 'a'.repeat(64), record_id: newId('rec') });
  for (let at = 1; at <= 20; at += 1) {
    stage.append(entry);
    const records = await views.list({ after: 0, limit: 100 });
    expect(records).toHaveLength(at);
    expect(records.at(-1)).toEqual({ ...entry, seq: at });
  }
});

test('filters combine, and pages continue after a record', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const traceId = 'f'.repeat(32);
  stage.append(
    auditEntry(),
    auditEntry({ agent_id: 'bob' }),
    auditEntry({ agent_id: 'bob', event: 'KEY_CREATED', kind: 'security' }),
    outcomeEntry({}, { agent_id: 'bob', trace_id: traceId }),
    outcomeEntry({}, { trace_id: traceId }),
  );
  const list = async (filter: object) => seqs(await views.list({ after: 0, limit: 100, ...filter }));
  expect(await list({})).toEqual([1, 2, 3, 4, 5]);
  expect(await list({ after: 2, limit: 2 })).toEqual([3, 4]);
  expect(await list({ agentId: 'bob' })).toEqual([2, 3, 4]);
  expect(await list({ agentId: 'bob', after: 2 })).toEqual([3, 4]);
  expect(await list({ event: 'SKILL_PUBLISHED' })).toEqual([1, 2]);
  expect(await list({ event: 'TOOL_OUTCOME' })).toEqual([4, 5]);
  expect(await list({ traceId })).toEqual([4, 5]);
  expect(await list({ traceId, agentId: 'ada' })).toEqual([5]);
  expect(await list({ event: 'KEY_CREATED', agentId: 'bob' })).toEqual([3]);
  expect(await list({ event: 'KEY_CREATED', agentId: 'ada' })).toEqual([]);
  expect(await list({ event: 'TOOL_OUTCOME', traceId, agentId: 'bob' })).toEqual([4]);
  expect(await list({ agentId: 'nobody' })).toEqual([]);
});

test('a trace is found by its whole id, not by the part that the index holds', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const like = `0123456789ab${'0'.repeat(20)}`;
  stage.append(auditEntry(), auditEntry({ trace_id: like }), auditEntry({ trace_id: 'not hexadecimal' }));
  expect(seqs(await views.list({ after: 0, limit: 9, traceId: like }))).toEqual([2]);
  expect(seqs(await views.list({ after: 0, limit: 9, traceId: 'not hexadecimal' }))).toEqual([3]);
  expect(seqs(await views.list({ after: 0, limit: 9, traceId: '0123456789ab' }))).toEqual([]);
});

test('statistics count the outcomes of each tool, of one namespace or of all, and since a time', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const at = (minutes: number) => ({ time: minute(minutes) });
  stage.append(
    outcomeEntry({ server: 'a-b', tool: 'x/y', latencyMs: 10 }, at(0)),
    outcomeEntry({ server: 'a', latencyMs: 1 }, at(1)),
    auditEntry(at(2)),
    outcomeEntry({ server: 'a', latencyMs: 3 }, { outcome: 'timeout', ...at(3) }),
    outcomeEntry({ server: 'a', latencyMs: 2 }, { outcome: 'error', namespace: 'team-b', ...at(4) }),
    outcomeEntry({ server: 'a', latencyMs: 4 }, { outcome: 'abandoned', ...at(5) }),
  );
  const all = await views.statistics({});
  expect(all).toEqual([
    {
      serverId: 'a',
      toolName: 'list',
      calls: 4,
      outcomes: { success: 1, error: 1, timeout: 1, abandoned: 1 },
      errorTypes: expect.any(Object),
      latencyMsMean: 2.5,
      latencyMsP50: 2.5,
      // Between the two longest: 3 + 0.85.
      latencyMsP95: expect.closeTo(3.85, 9),
      latencyMsP99: expect.closeTo(3.97, 9),
      lastCalledAt: entryTimeMs + 5 * 60_000,
    },
    {
      serverId: 'a-b',
      toolName: 'x/y',
      calls: 1,
      outcomes: { success: 1, error: 0, timeout: 0, abandoned: 0 },
      errorTypes: {},
      latencyMsMean: 10,
      latencyMsP50: 10,
      latencyMsP95: 10,
      latencyMsP99: 10,
      lastCalledAt: entryTimeMs,
    },
  ]);
  const calls = async (filter: object) => (await views.statistics(filter)).map((one) => [one.serverId, one.calls]);
  expect(await calls({ namespace: 'team-b' })).toEqual([['a', 1]]);
  expect(await calls({ namespace: 'nobody' })).toEqual([]);
  expect(await calls({ since: entryTimeMs + 1 })).toEqual([['a', 4]]);
  expect(await calls({ since: entryTimeMs + 3 * 60_000 })).toEqual([['a', 3]]);
  expect(await calls({ since: entryTimeMs + 6 * 60_000 })).toEqual([]);
  expect(await calls({ until: entryTimeMs + 60_000 })).toEqual([['a-b', 1]]);
  expect(await calls({ since: entryTimeMs + 60_000, until: entryTimeMs + 4 * 60_000 })).toEqual([['a', 2]]);
  expect(Object.values(all[0]?.errorTypes ?? {}).reduce((sum, count) => sum + count, 0)).toBe(3);
  const [inTime] = await views.statistics({ until: entryTimeMs + 4 * 60_000 });
  expect(Object.values(inTime?.errorTypes ?? {})).toEqual([1]);
});

test('an outcome that was credited to a search is found by its call, with all that its record holds', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const [callId, credited, plainId] = [newId('call'), newId('srch'), newId('call')];
  stage.append(outcomeEntry({ callId: plainId }), outcomeEntry({ callId, credited, latencyMs: 7.25 }), outcomeEntry());
  expect(await views.findOutcomeWithSearch(callId)).toEqual({
    seq: 2,
    creditedSearchId: credited,
    outcome: {
      callId,
      serverId: 'github',
      toolName: 'list',
      agentId: 'ada',
      namespace: 'team-a',
      keyId: 'key_1',
      outcome: 'success',
      latencyMs: 7.25,
      searchId: credited,
      recordedAt: entryTimeMs,
    },
  });
  expect(await views.findOutcomeWithSearch(newId('call'))).toBeUndefined();
  expect(await views.findOutcomeWithSearch(plainId)).toBeUndefined();
});

test('credited outcomes are read in pages, and from the newest ones on', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  for (let at = 1; at <= 6; at += 1) stage.append(outcomeEntry(), outcomeEntry({ credited: `srch_${at}` }));
  const page = async (after: number | undefined, limit: number, newestMax: number) =>
    seqs(await views.outcomesWithSearch({ after, limit, newestMax }));
  expect(await page(undefined, 2, 100)).toEqual([2, 4]);
  expect(await page(4, 10, 100)).toEqual([6, 8, 10, 12]);
  expect(await page(undefined, 10, 3)).toEqual([8, 10, 12]);
  expect(await page(undefined, 10, 6)).toEqual([2, 4, 6, 8, 10, 12]);
});

test('each filter and query has an index that leads it', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(auditEntry(), outcomeEntry());
  await views.list({ after: 0, limit: 1 });
  using database = new DatabaseSync(stage.file, { readOnly: true });
  const plan = (sql: string) => String(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).get()?.detail);
  const select = 'SELECT seq, body FROM records WHERE seq > 5 AND';
  const end = 'ORDER BY seq LIMIT 10';
  expect(plan(`${select} event IS NOT NULL AND agent = 7 ${end}`)).toContain('records_by_agent');
  expect(plan(`${select} event IS NOT NULL AND trace = 7 AND +agent = 8 ${end}`)).toContain('records_by_trace');
  expect(plan(`${select} event <> 1 AND event = 7 AND +agent = 8 ${end}`)).toContain('records_by_event');
  expect(plan('SELECT seq FROM records WHERE credited = 7')).toContain('records_by_call');
  const statistics =
    'SELECT count(*), avg(latency_ms), sum(outcome = 2), max(seq) FROM records INDEXED BY records_by_target';
  expect(plan(`${statistics} WHERE outcome IS NOT NULL AND seq >= 4 AND namespace = 5 GROUP BY target`)).toContain(
    'USING COVERING INDEX records_by_target',
  );
});

test('a list has a target, a server with its tools, an outcome, a time, and either order', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const at = (minutes: number) => ({ time: minute(minutes) });
  stage.append(
    outcomeEntry({ server: 'a', tool: 'x' }, { target: 'tool:a/x', ...at(0) }),
    outcomeEntry({ server: 'a', tool: 'y' }, { target: 'tool:a/y', outcome: 'timeout', ...at(1) }),
    auditEntry({ target: 'server:a', event: 'SERVER_CHANGED', kind: 'security', ...at(2) }),
    outcomeEntry({ server: 'a0', tool: 'x' }, { target: 'tool:a0/x', ...at(3) }),
    outcomeEntry({ server: 'a', tool: 'x' }, { target: 'tool:a/x', outcome: 'error', ...at(4) }),
  );
  const list = async (filter: object) => seqs(await views.list({ limit: 100, ...filter }));
  expect(await list({ order: 'newest' })).toEqual([5, 4, 3, 2, 1]);
  expect(await list({ order: 'newest', after: 4, limit: 2 })).toEqual([3, 2]);
  expect(await list({ target: 'tool:a/x' })).toEqual([1, 5]);
  expect(await list({ serverId: 'a' })).toEqual([1, 2, 3, 5]);
  expect(await list({ serverId: 'a', limit: 2, after: 1 })).toEqual([2, 3]);
  expect(await list({ serverId: 'a', order: 'newest', limit: 2 })).toEqual([5, 3]);
  expect(await list({ serverId: 'a', outcome: 'timeout' })).toEqual([2]);
  expect(await list({ outcome: 'success' })).toEqual([1, 4]);
  expect(await list({ since: entryTimeMs + 60_000, until: entryTimeMs + 3 * 60_000 })).toEqual([2, 3]);
  expect(await list({ since: entryTimeMs + 60_000, order: 'newest', after: 3 })).toEqual([2]);
});

test('statistics of more tools than one message of the thread holds are complete and in order', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  const names = Array.from({ length: 450 }, (_, at) => `tool_${String(at).padStart(3, '0')}`);
  stage.append(...names.toReversed().map((tool) => outcomeEntry({ tool })));
  const [first, second] = await Promise.all([views.statistics({}), views.statistics({})]);
  expect(first.map(({ toolName }) => toolName)).toEqual(names);
  expect(second).toEqual(first);
});

test('statistics are refused, and not waited for, when the thread stops while it computes them', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(outcomeEntry());
  await views.list({ after: 0, limit: 1 });
  const [thread] = stage.workers;
  if (thread !== undefined) thread.postMessage = () => undefined;
  const pending = views.statistics({});
  await thread?.terminate();
  await expect(pending).rejects.toMatchObject({ code: 'VIEWS_UNAVAILABLE' });
  expect((await views.statistics({}))[0]?.calls).toBe(1);
});

test('more requests of statistics than the thread can take are refused', async () => {
  await using stage = await openViewsStage();
  const views = stage.start();
  stage.append(outcomeEntry());
  await views.list({ after: 0, limit: 1 });
  const settled = await Promise.allSettled(Array.from({ length: 40 }, () => views.statistics({})));
  const refused = settled.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBe(8);
});
