/** Exponential backoff with jitter: how long to wait before the next attempt. Pure, without timers. */

/** The wait after the first failure, and the longest wait, in milliseconds. */
export interface BackoffBounds {
  delayMs: number;
  delayMsMax: number;
}

/** More doublings change nothing: the longest wait is reached long before. */
const doublingsMax = 30;

/** Milliseconds to wait after `failures` failures in a row (1 or more): doubled with each failure, up to the bound. */
export function exponentialBackoff({ delayMs, delayMsMax }: BackoffBounds, failures: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), doublingsMax);
  return Math.min(delayMsMax, delayMs * 2 ** doublings);
}

/**
 * A whole number of milliseconds from 1 to `ms`, so that clients spread over the whole wait. "Full Jitter" of the AWS
 * Architecture Blog, "Exponential Backoff And Jitter" (2015).
 * @param random from 0 inclusive to 1 exclusive.
 */
export function fullJitter(ms: number, random: () => number): number {
  return Math.max(1, Math.ceil(ms * random()));
}

/**
 * Milliseconds from half of `ms` to all of it, for where a client must not retry at once. "Equal Jitter" of the same article.
 * @param random from 0 inclusive to 1 exclusive.
 */
export function equalJitter(ms: number, random: () => number): number {
  return ms * (0.5 + random() / 2);
}
