/** The check of the clock before retention: jumps, corrections, restarts, and a hub that was off. */
import { describe, expect, test } from 'vitest';
import { clockBackMsMax, clockJumpMsMax, confirmationMs, observeClock } from '../../../src/domain/audit/clock-check.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const trusted = { seenAt: start };

describe('the clock', () => {
  test('is trusted the first time it is read', () => {
    expect(observeClock({}, { now: start, elapsedMs: 0 })).toEqual(trusted);
  });

  test.each([
    ['runs as fast as the monotonic clock, for months', 200 * dayMs, 200 * dayMs],
    ['is corrected forwards by less than the limit', dayMs + clockJumpMsMax, dayMs],
    ['is corrected backwards by less than the limit', dayMs - clockBackMsMax, dayMs],
    ['was not read for a week, because the hub was off', clockJumpMsMax, 0],
  ])('is trusted while it %s', (_, passedMs, elapsedMs) => {
    expect(observeClock(trusted, { now: start + passedMs, elapsedMs })).toEqual({ seenAt: start + passedMs });
  });

  test.each([
    ['jumps ahead while the hub runs', 120 * dayMs, 3_600_000],
    ['jumps ahead while the hub is off', 120 * dayMs, 0],
    ['jumps back', -dayMs, 3_600_000],
  ])('is not trusted once it %s', (_, passedMs, elapsedMs) => {
    const known = observeClock(trusted, { now: start + passedMs, elapsedMs });
    expect(known).toEqual({ seenAt: start + passedMs, confirmedMs: 0 });
  });

  test('that jumped is trusted after the hub has run for a day with it, over restarts', () => {
    let known = observeClock(trusted, { now: start + 120 * dayMs, elapsedMs: 0 });
    const hourMs = 3_600_000;
    let now = start + 120 * dayMs;
    for (let hours = 1; hours * hourMs < confirmationMs; hours += 1) {
      now += hourMs;
      known = observeClock(known, { now, elapsedMs: hourMs });
      expect(known.confirmedMs).toBe(hours * hourMs);
      // A restart: no time of the monotonic clock is known.
      known = observeClock(known, { now, elapsedMs: 0 });
    }
    expect(observeClock(known, { now: now + hourMs, elapsedMs: hourMs })).toEqual({ seenAt: now + hourMs });
  });

  test('that jumped again is not trusted for another day', () => {
    const known = { seenAt: start, confirmedMs: confirmationMs - 1 };
    expect(observeClock(known, { now: start + 30 * dayMs, elapsedMs: dayMs }).confirmedMs).toBe(0);
  });
});
