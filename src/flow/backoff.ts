/** How long to wait before the next attempt: exponential backoff with full jitter. Knows no timers. */

/** Bounds of the wait, in milliseconds. */
export interface ReconnectDelayBounds {
  reconnectDelayMs: number;
  reconnectDelayMsMax: number;
}

const doublingsMax = 30;

/**
 * Milliseconds to wait after `failures` failed attempts in a row (1 or more): anywhere from 1 up to the bound, which
 * doubles with each failure. Full jitter as in the AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 * @param random from 0 inclusive to 1 exclusive.
 */
export function reconnectDelay(bounds: ReconnectDelayBounds, failures: number, random: () => number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), doublingsMax);
  const bound = Math.min(bounds.reconnectDelayMsMax, bounds.reconnectDelayMs * 2 ** doublings);
  return Math.max(1, Math.ceil(bound * random()));
}
