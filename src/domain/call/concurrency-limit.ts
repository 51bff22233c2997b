/**
 * Limits on running tool calls, in total and for each server, of which each key has a share. A call over a limit is refused at
 * once, not queued.
 */
import { createFairBudget, type FairBudget } from '../../flow/fair-budget.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';

/** The limit on running calls. */
export interface ConcurrencyLimit {
  /**
   * Counts a call of the caller's key to a server as running until the returned object is disposed. An operator has no share, but
   * all places.
   * @throws HestiaError OVERLOADED
   */
  enter(serverId: string, caller: Pick<Caller, 'keyId' | 'role'>): Disposable;
}

/** The greatest numbers of running calls. */
export interface ConcurrencyLimits {
  callsRunningMax: number;
  callsRunningPerServerMax: number;
}

/** Seconds after which a caller may repeat a refused call. */
const retryAfterSeconds = 1;

/** Creates the limit; no call is running. */
export function createConcurrencyLimit(limits: ConcurrencyLimits): ConcurrencyLimit {
  const all = createFairBudget(limits.callsRunningMax);
  const servers = new Map<string, { running: number; budget: FairBudget }>();
  return {
    enter(serverId, { keyId, role }) {
      const server = servers.get(serverId) ?? { running: 0, budget: createFairBudget(limits.callsRunningPerServerMax) };
      const isPrivileged = role === 'operator';
      const inAll = all.take(keyId, 1, { isPrivileged });
      if (inAll === 'total') throw overloaded(`${limits.callsRunningMax} calls are under way, which is the limit`);
      if (inAll === 'share') throw overloaded(shareUsed(all.takenBy(keyId), ''));
      const atServer = server.budget.take(keyId, 1, { isPrivileged });
      if (atServer !== undefined) {
        all.give(keyId, 1);
        const { callsRunningPerServerMax: placesMax } = limits;
        if (atServer === 'share') throw overloaded(shareUsed(server.budget.takenBy(keyId), ' to this server'));
        throw overloaded(`${placesMax} calls to this server are under way, which is the limit`);
      }
      server.running += 1;
      servers.set(serverId, server);
      return {
        [Symbol.dispose]() {
          all.give(keyId, 1);
          server.budget.give(keyId, 1);
          server.running -= 1;
          if (server.running === 0) servers.delete(serverId);
        },
      };
    },
  };
}

function shareUsed(running: number, where: string): string {
  return `${running} calls of this key${where} are under way, which is its share`;
}

function overloaded(found: string): HestiaError {
  return new HestiaError('OVERLOADED', `${found}; try again`, { retryAfterSeconds });
}
