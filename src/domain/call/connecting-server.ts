/** Waits for a server that is connecting, so that a call in the first seconds of a hub need not fail. */
import { settledWithin, unlessAborted } from '../../flow/time-limit.ts';
import type { Caller } from '../../shapes/access.ts';
import type { UpstreamConnection } from '../../upstream/connection/contract.ts';
import type { ConnectionPool } from '../../upstream/connection-pool.ts';
import type { Shutdown } from './admission.ts';

/** A request to a server, and what ends the wait for it. */
export interface WaitingRequest {
  caller: Caller;
  request: { serverId: string; timeoutMs?: number | undefined };
  options: { signal: AbortSignal };
  shutdown: Shutdown;
}

/**
 * Resolves once no attempt to connect the server is in progress, at the latest after `limits.connectWaitMs` or the deadline of the
 * request, and at once where it is connected or waits for its next attempt. Never rejects.
 */
export async function untilAttempted(
  { pool, limits }: { pool: Pick<ConnectionPool, 'find'>; limits: { connectWaitMs: number } },
  { caller, request, options, shutdown }: WaitingRequest,
): Promise<void> {
  const attempt = pool.find(request.serverId)?.attempt();
  if (attempt === undefined) return;
  const ends = AbortSignal.any([options.signal, shutdown.signal, ...(caller.ended ? [caller.ended] : [])]);
  const waitMs = Math.min(limits.connectWaitMs, request.timeoutMs ?? limits.connectWaitMs);
  await settledWithin(waitMs, unlessAborted(attempt, ends));
}

/** Waits for the first session of a server, which says what it offers; at most `limits.connectWaitMs`. Never rejects. */
export async function untilIntroduced(
  connection: Pick<UpstreamConnection, 'attempt' | 'introduction'>,
  { connectWaitMs }: { connectWaitMs: number },
): Promise<void> {
  const attempt = connection.introduction() === undefined ? connection.attempt() : undefined;
  if (attempt !== undefined) await settledWithin(connectWaitMs, attempt);
}
