/**
 * Rate limits for API keys, and for failed authentications of an address. What is over a limit is refused. The first
 * refusal of a key or address is recorded, and repeats are counted, so that a flood of requests cannot fill the audit trail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BoundedMap } from '../../flow/bounded-map.ts';
import { anonymousCaller, type Caller, hubCaller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** Counts against the limits. All methods throw HestiaError RATE_LIMITED, with the seconds to wait before a retry. */
export interface RateLimits {
  /** Counts a request against the limit of the caller's key. */
  countRequest(caller: Caller): Promise<void>;
  /** Counts a failed authentication against the limit of an address; `undefined` if the connection has none. */
  countFailure(address: string | undefined): Promise<void>;
  /** Counts a search of tools against the limit of the caller's key. */
  countSearch(caller: Caller): Promise<void>;
  /** Counts a new version of a skill, and its bytes, against the limits of the caller's key. The hub itself has none. */
  countSkillVersion(caller: Caller, bytes: number): Promise<void>;
}

/** Dependencies of the rate limits. */
export interface RateLimitsDeps {
  trail: AuditTrail;
  limits: {
    requestsPerMinute: number;
    authFailuresPerMinute: number;
    searchesPerMinute: number;
    skillVersionsPerHour: number;
    skillBytesPerHour: number;
  };
}

const minuteSeconds = 60;
const hourSeconds = 3600;

/** Creates the rate limits with all counts at 0. */
export function createRateLimits({ trail, limits }: RateLimitsDeps): RateLimits {
  let loading: Promise<Limiters> | undefined;
  let limiters: Limiters | undefined;
  const hold = createRefusalHold();
  const count = async (limit: LimitName, key: string, { by, points = 1 }: { by: Caller; points?: number }) => {
    loading ??= loadLimiters(limits);
    limiters ??= await loading;
    const { [limit]: limiter, isOverLimit } = limiters;
    try {
      await limiter.consume(key, points);
    } catch (error) {
      if (!isOverLimit(error)) throw error;
      await recordRefusal(trail, { by, limit }, key);
      await hold(key);
      throw rateLimited(limit, limiter, error.msBeforeNext);
    }
  };
  return {
    countRequest: (caller) => count('requests', caller.keyId, { by: caller }),
    countFailure: (address) => count('failed authentications', address ?? 'no address', { by: anonymousCaller }),
    countSearch: (caller) => count('searches', caller.keyId, { by: caller }),
    countSkillVersion: async (caller, bytes) => {
      if (caller.keyId === hubCaller.keyId) return;
      await count('skill versions', caller.keyId, { by: caller });
      await count('skill bytes', caller.keyId, { by: caller, points: bytes });
    },
  };
}

type LimitName = 'requests' | 'failed authentications' | 'searches' | 'skill versions' | 'skill bytes';

type Limiters = Awaited<ReturnType<typeof loadLimiters>>;

/** Loaded with the first request to keep the start fast: the library contains a limiter for every database it supports. */
async function loadLimiters(limits: RateLimitsDeps['limits']) {
  const { RateLimiterMemory, RateLimiterRes } = await import('rate-limiter-flexible');
  const limiter = (points: number, duration: number) => new RateLimiterMemory({ points, duration });
  return {
    requests: limiter(limits.requestsPerMinute, minuteSeconds),
    'failed authentications': limiter(limits.authFailuresPerMinute, minuteSeconds),
    searches: limiter(limits.searchesPerMinute, minuteSeconds),
    'skill versions': limiter(limits.skillVersionsPerHour, hourSeconds),
    'skill bytes': limiter(limits.skillBytesPerHour, hourSeconds),
    isOverLimit: (error: unknown) => error instanceof RateLimiterRes,
  };
}

/** Refusals of one key or address in a second that are answered at once. Further ones are held. */
const refusalsAtOnceMax = 32;
const holdMs = 1000;
const holdersMax = 10_000;

/** Creates what holds the refusals of a key or address that repeats at once what was refused, so that they cost little. */
function createRefusalHold(): (key: string) => Promise<void> {
  const refusals = new BoundedMap<string, { since: number; count: number }>(holdersMax);
  return async (key) => {
    const now = performance.now();
    const found = refusals.get(key);
    const recent = found !== undefined && now - found.since < holdMs ? found : { since: now, count: 0 };
    recent.count += 1;
    refusals.set(key, recent);
    if (recent.count > refusalsAtOnceMax) await delay(holdMs, undefined, { ref: false });
  };
}

interface Refusal {
  by: Caller;
  limit: LimitName;
}

async function recordRefusal(trail: AuditTrail, { by, limit }: Refusal, source: string): Promise<void> {
  const fields = { agent_id: by.agentId, namespace: by.namespace, limit };
  const event = { kind: 'security', name: 'RATE_LIMITED', failed: true, fields } as const;
  await inActiveSpan('authenticate', (span) => trail.refusals.record({ event, by, span }, source));
}

function rateLimited(
  limit: LimitName,
  { points, duration }: { points: number; duration: number },
  msBeforeNext: number,
): HestiaError {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const period = duration === hourSeconds ? 'an hour' : 'a minute';
  const message = `more than ${points} ${limit} in ${period}; try again in ${seconds} s`;
  return new HestiaError('RATE_LIMITED', message, { retryAfterSeconds: seconds });
}
