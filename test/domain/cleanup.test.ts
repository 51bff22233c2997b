/** Cleanup runs on a complete hub with a clock that the test advances. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { exportedLines } from '../support/audit-export.ts';
import { json, publishSkill, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { connectClient, startListeningHub } from '../support/hub/hub-listening.ts';

const dayMs = 86_400_000;
const run = (hub: TestHub) => hub.operator.fetch('/v1/scheduler/run', { method: 'POST' });

async function useSkill(hub: TestHub, calls: number): Promise<void> {
  await publishSkill(hub.operator, 'triage');
  await hub.operator.fetch('/v1/skills/triage/activate', { method: 'POST' });
  for (let index = 0; index < calls; index += 1)
    await hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} });
}

/** Searches once, and waits until the search is stored. */
async function searchTools(hub: TestHub): Promise<void> {
  await hub.operator.fetch('/v1/tools/search', { json: { query: 'triage' } });
  await vi.waitFor(() => {
    using file = new DatabaseSync(hub.config.databaseFile, { readOnly: true });
    expect(file.prepare('SELECT count(*) AS count FROM searches').get()?.count).toBeGreaterThan(0);
  });
}

async function monitoringEvents(hub: TestHub): Promise<{ event: string; fields: Record<string, unknown> }[]> {
  const { items } = await json(hub.operator.fetch('/v1/audit/events?limit=200'));
  return items.filter((item: { kind: string }) => item.kind === 'monitoring');
}

describe('a cleanup', () => {
  test('deletes data past its retention and nothing else; the remaining trail verifies', async () => {
    await using hub = await startTestHub({
      file: { retention: { searchesDays: 10, outcomesDays: 15, auditDays: 20 } },
    });
    // An export signs a checkpoint.
    await exportedLines(hub.operator);
    await useSkill(hub, 3);
    await searchTools(hub);
    await exportedLines(hub.operator);
    hub.advance(11 * dayMs);
    await hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} });
    const first = await json(run(hub));
    expect(first).toMatchObject({
      deletedCount: 1,
      deleted: { searches: 1, audit_records: 0, activations: 0 },
      failedParts: [],
    });
    hub.advance(5 * dayMs);
    expect((await json(hub.operator.fetch('/v1/tools/stats'))).items).toMatchObject([
      { toolName: 'skill_triage', calls: 1 },
    ]);
    hub.advance(5 * dayMs);
    const before = (await json(hub.operator.fetch('/v1/audit/verify'))).recordsChecked;
    const second = await json(run(hub));
    expect(second.deleted.audit_records).toBeGreaterThan(3);
    const verdict = await json(hub.operator.fetch('/v1/audit/verify'));
    expect(verdict).toMatchObject({ intact: true, firstSeq: second.deleted.audit_records + 1 });
    const checkpoints = await json(hub.operator.fetch('/v1/audit/checkpoints?limit=200'));
    expect(checkpoints.items[0].size).toBeGreaterThanOrEqual(second.deleted.audit_records);
    // The two new records are the deletion itself and the success of the run.
    expect(verdict.recordsChecked).toBe(before - second.deleted.audit_records + 2);
    await vi.waitFor(async () => {
      const { items } = await json(hub.operator.fetch('/v1/audit/events?limit=1'));
      expect(items[0].seq).toBe(verdict.firstSeq);
    });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=AUDIT_PRUNED'));
    expect(items).toMatchObject([
      { fields: { records: second.deleted.audit_records, first_seq: verdict.firstSeq, agent_id: 'operator' } },
    ]);
  });

  test('deletes no audit record after the clock jumped, says so, and deletes after a day with that clock', async () => {
    await using hub = await startTestHub({ file: { retention: { auditDays: 20 } } });
    await useSkill(hub, 3);
    hub.advance(2 * dayMs);
    await exportedLines(hub.operator);
    hub.jumpClock(120 * dayMs);
    const jumped = await json(run(hub));
    expect(jumped).toMatchObject({ deleted: { audit_records: 0 }, failedParts: ['audit_records'] });
    await expect
      .poll(() => hub.logLines().find((line) => line.message === 'A part of the cleanup failed'))
      .toMatchObject({ part: 'audit_records' });
    expect(await json(hub.operator.fetch('/v1/audit/verify'))).toMatchObject({ intact: true, firstSeq: 1 });
    hub.advance(dayMs / 2);
    expect(await json(run(hub))).toMatchObject({ failedParts: ['audit_records'] });
    hub.advance(dayMs / 2);
    const report = await json(run(hub));
    expect(report.failedParts).toEqual([]);
    expect(report.deleted.audit_records).toBeGreaterThan(3);
  });

  test('deletes many rows in batches of 100, between which other work runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-batches-'));
    await (await startTestHub({ folder }))[Symbol.asyncDispose]();
    {
      using file = new DatabaseSync(join(folder, 'hestia.db'));
      file.exec(
        `WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 1000)
         INSERT INTO searches (search_id, key_id, agent_id, namespace, query, source, scoring, shown, searched_at)
         SELECT 'srch_' || n, 'k', 'a', 'n', 'q', 'all', 'lexical', '[]', n FROM series`,
      );
    }
    await using hub = await startTestHub({ folder });
    using outside = new DatabaseSync(hub.config.databaseFile, { readOnly: true });
    const count = outside.prepare('SELECT count(*) AS count FROM searches');
    const left = [1000];
    const running = run(hub);
    while (left.at(-1) !== 0) {
      await setImmediate();
      left.push(Number(count.get()?.count));
    }
    expect(await json(running)).toMatchObject({ deleted: { searches: 1000 }, failedParts: [] });
    const steps = left.slice(1).map((now, index) => Number(left[index]) - now);
    expect(Math.max(...steps)).toBe(100);
    await rm(folder, { recursive: true });
  });

  test('is reported with the same fields in the audit trail and in the log', async () => {
    await using hub = await startTestHub();
    await run(hub);
    const [started, succeeded] = await monitoringEvents(hub);
    expect(started).toMatchObject({
      event: 'SCHEDULER_START',
      fields: { interval_hours: 1, next_run_time: expect.stringMatching(/:00:00\.000Z$/) },
    });
    expect(succeeded).toMatchObject({
      event: 'SCHEDULER_CLEANUP_SUCCESS',
      fields: {
        deleted_count: 0,
        run_ms: expect.any(Number),
        total_cleanups: 1,
        total_deleted: 0,
        last_run_time: expect.any(String),
      },
    });
    await expect
      .poll(() => hub.logLines().find((line) => line.monitoring_event === 'SCHEDULER_CLEANUP_SUCCESS'))
      .toMatchObject(Object(succeeded?.fields));
  });

  test('does not overlap another run, and has the same status over HTTP and MCP', async () => {
    await using hub = await startListeningHub();
    const statuses = (await Promise.all([run(hub), run(hub), run(hub)])).map((response) => response.status);
    expect(statuses.toSorted()).toEqual([200, 409, 409]);
    const overHttp = await json(hub.operator.fetch('/v1/scheduler'));
    await using client = await connectClient('2.x, 2026-07-28', hub, hub.operator);
    const overMcp = (await client.call('get_scheduler_status')).structuredContent;
    expect(overMcp).toEqual({
      is_running: true,
      interval_hours: 1,
      last_run_time: overHttp.lastRunTime,
      next_run_time: overHttp.nextRunTime,
      total_cleanups: 1,
      total_deleted: 0,
    });
  });

  test('continues after a failed part, names it, and does not count as a success, even after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-failing-'));
    const hub = await startTestHub({ folder, file: { retention: { searchesDays: 10, auditDays: 10 } } });
    await useSkill(hub, 2);
    await searchTools(hub);
    await exportedLines(hub.operator);
    hub.advance(11 * dayMs);
    const breaker = new DatabaseSync(hub.config.databaseFile, { timeout: 5000 });
    breaker.exec("CREATE TRIGGER refuse BEFORE DELETE ON searches BEGIN SELECT RAISE(ABORT, 'refused'); END");
    breaker.close();
    const report = await json(run(hub));
    expect(report).toMatchObject({ failedParts: ['searches'], deleted: { searches: 0 } });
    expect(report.deleted.audit_records).toBeGreaterThan(0);
    expect((await monitoringEvents(hub)).at(-1)).toMatchObject({
      event: 'SCHEDULER_CLEANUP_FAILED',
      fields: {
        error_type: 'cleanup_part_failed',
        failed_parts: 'searches',
        deleted_count: report.deletedCount,
        run_ms: expect.any(Number),
        total_cleanups_attempted: 1,
      },
    });
    await hub[Symbol.asyncDispose]();
    await using again = await startTestHub({ folder });
    const status = await json(again.operator.fetch('/v1/scheduler'));
    expect(status).toMatchObject({ totalCleanups: 1, lastRunTime: expect.any(String) });
    expect(status.lastSuccessTime).toBeUndefined();
    await rm(folder, { recursive: true });
  });

  test('in progress when the hub shuts down stops between two batches and is recorded before the stop of the scheduler', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-stop-'));
    {
      const first = await startTestHub({ folder });
      await useSkill(first, 3);
      first.advance(91 * dayMs);
      // The first batch waits for this lock, so that the run is in progress until the test releases it.
      const lock = new DatabaseSync(first.config.databaseFile, { timeout: 5000 });
      lock.exec('BEGIN IMMEDIATE');
      const running = run(first);
      expect((await run(first)).status).toBe(409);
      const closing = first[Symbol.asyncDispose]();
      lock.close();
      await closing;
      expect((await running).status).toBe(200);
    }
    {
      await using second = await startTestHub({ folder });
      const events = (await monitoringEvents(second)).map(({ event }) => event);
      expect(events.slice(-3)).toEqual(['SCHEDULER_CLEANUP_SUCCESS', 'SCHEDULER_STOP', 'SCHEDULER_START']);
    }
    await rm(folder, { recursive: true });
  });

  test('keeps its totals over a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-totals-'));
    {
      await using first = await startTestHub({ folder });
      await useSkill(first, 2);
      await exportedLines(first.operator);
      first.advance(91 * dayMs);
      await run(first);
    }
    {
      await using second = await startTestHub({ folder });
      const status = await json(second.operator.fetch('/v1/scheduler'));
      expect(status).toMatchObject({ isRunning: true, totalCleanups: 1, lastRunTime: expect.any(String) });
      expect(status.totalDeleted).toBeGreaterThanOrEqual(2);
      expect((await monitoringEvents(second)).map(({ event }) => event)).toEqual(
        expect.arrayContaining(['SCHEDULER_STOP', 'SCHEDULER_START']),
      );
    }
    await rm(folder, { recursive: true });
  });
});
