import { createTask } from 'node-cron';
import { describe, expect, test } from 'vitest';
import { cleanupCronLine } from '../src/schedule.ts';
import { intervalHoursAllowed } from '../src/shapes/configuration.ts';

describe('the cron line of a cleanup', () => {
  test.each(intervalHoursAllowed)('runs every %d hours, day after day', (intervalHours) => {
    const task = createTask(cleanupCronLine(intervalHours), () => undefined, { timezone: 'UTC' });
    const runs = task.getNextRuns(100).map((date) => date.getTime());
    const pauses = runs.slice(1).map((time, index) => (time - (runs[index] ?? 0)) / 3_600_000);
    expect(new Set(pauses)).toEqual(new Set([intervalHours]));
  });
});
