/**
 * How often a key may ask, and how often an address may fail to authenticate. What is over a limit is refused at once;
 * the first refusal of each window is on record, the further ones are not, so that a flood cannot fill the trail.
 */
import { anonymousCaller, type Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { inActiveSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** The limits. Both methods throw HestiaError RATE_LIMITED, which says when to try again. */
export interface RateLimits {
  /** Counts a request of a caller's key. */
  countRequest(caller: Caller): Promise<void>;
  /** Counts a failed authentication of an address; `undefined` where the connection has none. */
  countFailure(address: string | undefined): Promise<void>;
}

/** What the limits are made of. */
export interface RateLimitsDeps {
  trail: AuditTrail;
  limits: { requestsPerMinute: number; authFailuresPerMinute: number };
}

const windowSeconds = 60;

/** Makes the limits, with empty counts. */
export function createRateLimits({ trail, limits }: RateLimitsDeps): RateLimits {
  let loading: Promise<Limiters> | undefined;
  let limiters: Limiters | undefined;
  const count = async (kind: 'requests' | 'failures', key: string, refused: Refused) => {
    loading ??= loadLimiters(limits);
    limiters ??= await loading;
    const { [kind]: limiter, isRefusal } = limiters;
    try {
      await limiter.consume(key);
    } catch (refusal) {
      if (!isRefusal(refusal)) throw refusal;
      if (refusal.consumedPoints === limiter.points + 1) await recordRefusal(trail, refused);
      throw rateLimited(refused.limit, limiter.points, refusal.msBeforeNext);
    }
  };
  return {
    countRequest: (caller) => count('requests', caller.keyId, { by: caller, limit: 'requests' }),
    countFailure: (address) =>
      count('failures', address ?? 'no address', { by: anonymousCaller, limit: 'failed authentications' }),
  };
}

type Limiters = Awaited<ReturnType<typeof loadLimiters>>;

/** Loaded with the first request and not at the start: the library brings a limiter for each database there is. */
async function loadLimiters({ requestsPerMinute, authFailuresPerMinute }: RateLimitsDeps['limits']) {
  const { RateLimiterMemory, RateLimiterRes } = await import('rate-limiter-flexible');
  return {
    requests: new RateLimiterMemory({ points: requestsPerMinute, duration: windowSeconds }),
    failures: new RateLimiterMemory({ points: authFailuresPerMinute, duration: windowSeconds }),
    isRefusal: (error: unknown) => error instanceof RateLimiterRes,
  };
}

interface Refused {
  by: Caller;
  limit: 'requests' | 'failed authentications';
}

async function recordRefusal(trail: AuditTrail, { by, limit }: Refused): Promise<void> {
  const fields = { agent_id: by.agentId, namespace: by.namespace, limit };
  const event = { kind: 'security', name: 'RATE_LIMITED', failed: true, fields } as const;
  await inActiveSpan('authenticate', (span) => trail.record({ event, by, span }));
}

function rateLimited(limit: Refused['limit'], allowed: number, msBeforeNext: number): HestiaError {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const message = `more than ${allowed} ${limit} in a minute; try again in ${seconds} s`;
  return new HestiaError('RATE_LIMITED', message, { retryAfterSeconds: seconds });
}
