/**
 * Rate limits for API keys, and for failed authentications of an address. A request over a limit is refused at once. The first
 * refusal of a key or address is recorded, and repeats are counted, so that a flood of requests cannot fill the audit trail.
 */
import { anonymousCaller, type Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** Counts against the limits. Both methods throw HestiaError RATE_LIMITED, with the seconds to wait before a retry. */
export interface RateLimits {
  /** Counts a request against the limit of the caller's key. */
  countRequest(caller: Caller): Promise<void>;
  /** Counts a failed authentication against the limit of an address; `undefined` if the connection has none. */
  countFailure(address: string | undefined): Promise<void>;
}

/** Dependencies of the rate limits. */
export interface RateLimitsDeps {
  trail: AuditTrail;
  limits: { requestsPerMinute: number; authFailuresPerMinute: number };
}

const windowSeconds = 60;

/** Creates the rate limits with all counts at 0. */
export function createRateLimits({ trail, limits }: RateLimitsDeps): RateLimits {
  let loading: Promise<Limiters> | undefined;
  let limiters: Limiters | undefined;
  const count = async (kind: 'requests' | 'failures', key: string, refusal: Refusal) => {
    loading ??= loadLimiters(limits);
    limiters ??= await loading;
    const { [kind]: limiter, isOverLimit } = limiters;
    try {
      await limiter.consume(key);
    } catch (error) {
      if (!isOverLimit(error)) throw error;
      await recordRefusal(trail, refusal, key);
      throw rateLimited(refusal.limit, limiter.points, error.msBeforeNext);
    }
  };
  return {
    countRequest: (caller) => count('requests', caller.keyId, { by: caller, limit: 'requests' }),
    countFailure: (address) =>
      count('failures', address ?? 'no address', { by: anonymousCaller, limit: 'failed authentications' }),
  };
}

type Limiters = Awaited<ReturnType<typeof loadLimiters>>;

/** Loaded with the first request to keep the start fast: the library contains a limiter for every database it supports. */
async function loadLimiters({ requestsPerMinute, authFailuresPerMinute }: RateLimitsDeps['limits']) {
  const { RateLimiterMemory, RateLimiterRes } = await import('rate-limiter-flexible');
  return {
    requests: new RateLimiterMemory({ points: requestsPerMinute, duration: windowSeconds }),
    failures: new RateLimiterMemory({ points: authFailuresPerMinute, duration: windowSeconds }),
    isOverLimit: (error: unknown) => error instanceof RateLimiterRes,
  };
}

interface Refusal {
  by: Caller;
  limit: 'requests' | 'failed authentications';
}

async function recordRefusal(trail: AuditTrail, { by, limit }: Refusal, source: string): Promise<void> {
  const fields = { agent_id: by.agentId, namespace: by.namespace, limit };
  const event = { kind: 'security', name: 'RATE_LIMITED', failed: true, fields } as const;
  await inActiveSpan('authenticate', (span) => trail.refusals.record({ event, by, span }, source));
}

function rateLimited(limit: Refusal['limit'], allowed: number, msBeforeNext: number): HestiaError {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const message = `more than ${allowed} ${limit} in a minute; try again in ${seconds} s`;
  return new HestiaError('RATE_LIMITED', message, { retryAfterSeconds: seconds });
}
