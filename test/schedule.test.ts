/** The schedule: cron expressions of the cleanup intervals, and a scheduler that is disabled. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTask } from 'node-cron';
import { describe, expect, test } from 'vitest';
import { cleanupCronExpression } from '../src/schedule.ts';
import { intervalHoursAllowed } from '../src/shapes/configuration/config.ts';
import { json, readLines, startTestHub } from './support/hub/hub.ts';

describe('the cron expression of the cleanup', () => {
  test.each(intervalHoursAllowed)('runs every %d hours, across days', (intervalHours) => {
    const task = createTask(cleanupCronExpression(intervalHours), () => undefined, { timezone: 'UTC' });
    const runs = task.getNextRuns(100).map((date) => date.getTime());
    const pauses = runs.slice(1).map((time, index) => (time - (runs[index] ?? 0)) / 3_600_000);
    expect(new Set(pauses)).toEqual(new Set([intervalHours]));
  });
});

describe('a disabled scheduler', () => {
  test('reports that it does not run, cleans up on request, and records neither start nor stop', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-schedule-'));
    {
      await using hub = await startTestHub({ folder, file: { scheduler: { enabled: false } } });
      expect(await json(hub.operator.fetch('/v1/scheduler'))).toMatchObject({ isRunning: false });
      expect(await json(hub.operator.fetch('/v1/scheduler/run', { method: 'POST' }))).toMatchObject({
        failedParts: [],
      });
    }
    const lines = readLines(join(folder, 'hestia.log'));
    const events = lines.flatMap(({ monitoring_event: event }) => (event === undefined ? [] : [event]));
    expect(events).toEqual(['SCHEDULER_CLEANUP_SUCCESS']);
    await rm(folder, { recursive: true });
  });
});
