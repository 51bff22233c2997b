/** The delay before the next attempt to reach an upstream server. */
import { exponentialBackoff, fullJitter } from '../flow/backoff.ts';
import type { Config } from '../shapes/configuration/config.ts';

/** The configured bounds of the delay, in milliseconds. */
export type ReconnectLimits = Pick<Config['limits'], 'reconnectDelayMs' | 'reconnectDelayMsMax'>;

/**
 * Milliseconds to wait after `failures` failed attempts in a row (1 or more).
 * @param random from 0 inclusive to 1 exclusive.
 */
export function reconnectDelay(limits: ReconnectLimits, failures: number, random: () => number): number {
  const bounds = { delayMs: limits.reconnectDelayMs, delayMsMax: limits.reconnectDelayMsMax };
  return fullJitter(exponentialBackoff(bounds, failures), random);
}
