/** The delay before the next attempt to reach an upstream server. */
import { equalJitter, exponentialBackoff, fullJitter } from '../flow/backoff.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { isPermanent, type SessionFailure } from './session-failure.ts';

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

/** What a schedule needs. `random` is from 0 inclusive to 1 exclusive. */
export interface ReconnectScheduleDeps {
  limits: ReconnectLimits &
    Pick<Config['limits'], 'permanentFailureRetryMs' | 'serverDeathsMax' | 'serverQuarantineMs'>;
  random: () => number;
  /** Whether each attempt starts a process, which costs the machine. Only such a server is quarantined. */
  startsProcess: boolean;
}

/**
 * The delays of one connection. A session counts as a success only after it has lasted for `reconnectDelayMsMax`, so that a
 * server that dies soon after each start is started less and less often.
 */
export class ReconnectSchedule {
  readonly #deps: ReconnectScheduleDeps;
  #failures = 0;
  #connectedAt: number | undefined;
  #isQuarantined = false;

  constructor(deps: ReconnectScheduleDeps) {
    this.#deps = deps;
  }

  /** True if no attempt has failed since the start, or since a session that lasted. */
  get isFirstAttempt(): boolean {
    return this.#failures === 0;
  }

  /** True while the server is left alone because it died too often. */
  get isQuarantined(): boolean {
    return this.#isQuarantined;
  }

  /** Forgets all failures. */
  reset(): void {
    this.#failures = 0;
    this.#isQuarantined = false;
    this.#connectedAt = undefined;
  }

  /** Notes that a session has begun. */
  noteConnected(): void {
    this.#connectedAt = performance.now();
    this.#isQuarantined = false;
  }

  /** Notes a failed attempt, or the end of a session. Returns the milliseconds to wait. */
  delayAfter(failure: SessionFailure): number {
    const { limits, random, startsProcess } = this.#deps;
    const lastedMs = this.#connectedAt === undefined ? 0 : performance.now() - this.#connectedAt;
    this.#connectedAt = undefined;
    if (lastedMs >= limits.reconnectDelayMsMax) this.#failures = 0;
    this.#failures += 1;
    this.#isQuarantined = startsProcess && !isPermanent(failure) && this.#failures >= limits.serverDeathsMax;
    if (this.#isQuarantined) return Math.ceil(equalJitter(limits.serverQuarantineMs, random));
    if (isPermanent(failure)) return Math.ceil(equalJitter(limits.permanentFailureRetryMs, random));
    return reconnectDelay(limits, this.#failures, random);
  }
}
