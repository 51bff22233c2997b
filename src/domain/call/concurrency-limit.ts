/** Limits on running tool calls, in total and per server. A call over a limit is refused at once, not queued. */
import { HestiaError } from '../../shapes/error.ts';

/** The limit on running calls. */
export interface ConcurrencyLimit {
  /** Counts a call to a server as running until the returned object is disposed. @throws HestiaError OVERLOADED */
  enter(serverId: string): Disposable;
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
  const running = new Map<string, number>();
  let total = 0;
  return {
    enter(serverId) {
      const atServer = running.get(serverId) ?? 0;
      if (total >= limits.callsRunningMax) throw overloaded(`${limits.callsRunningMax} calls are under way`);
      if (atServer >= limits.callsRunningPerServerMax) {
        throw overloaded(`${limits.callsRunningPerServerMax} calls to this server are under way`);
      }
      total += 1;
      running.set(serverId, atServer + 1);
      return {
        [Symbol.dispose]() {
          total -= 1;
          const left = (running.get(serverId) ?? 0) - 1;
          if (left > 0) running.set(serverId, left);
          else running.delete(serverId);
        },
      };
    },
  };
}

function overloaded(found: string): HestiaError {
  return new HestiaError('OVERLOADED', `${found}, which is the limit; try again`, { retryAfterSeconds });
}
