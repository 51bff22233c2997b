/**
 * The check of the clock before retention: a wrong clock must not delete the audit trail.
 * A jump is a time that differs by days from the time that passed while the hub ran. After one, the clock is trusted again once
 * the hub has run for a day, so that a hub that was off for months deletes what is due a day later. Pure.
 */
import type { ClockKnowledge } from '../../stores/retention-clock-store.ts';

/** How far the clock may be ahead of the last time seen and the time since: also the longest that a hub may be off unnoticed. */
export const clockJumpMsMax = 7 * 86_400_000;
/** How far the clock may be behind the last time seen, such as after a correction by NTP. */
export const clockBackMsMax = 3_600_000;
/** How long the hub must run after a jump before the clock is trusted. */
export const confirmationMs = 86_400_000;

/** What is known after the time `now` was read, `elapsedMs` of a monotonic clock after the last reading; 0 for the first. */
export function observeClock(
  known: ClockKnowledge,
  { now, elapsedMs }: { now: number; elapsedMs: number },
): ClockKnowledge {
  const { seenAt, confirmedMs } = known;
  if (seenAt === undefined) return { seenAt: now };
  const jumpMs = now - seenAt - elapsedMs;
  if (jumpMs > clockJumpMsMax || jumpMs < -clockBackMsMax) return { seenAt: now, confirmedMs: 0 };
  if (confirmedMs === undefined) return { seenAt: now };
  const runMs = confirmedMs + elapsedMs;
  return runMs >= confirmationMs ? { seenAt: now } : { seenAt: now, confirmedMs: runMs };
}
