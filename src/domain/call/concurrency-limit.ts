/** How many tool calls may be under way, in all and at one server. What is over a limit is refused at once, not queued. */
import { HestiaError } from '../../shapes/error.ts';

/** Admission of calls. */
export interface ConcurrencyLimit {
  /** Takes a place for a call to a server; dispose it to give the place back. @throws HestiaError OVERLOADED */
  enter(serverId: string): Disposable;
}

/** Calls under way at most. */
export interface ConcurrencyLimits {
  callsRunningMax: number;
  callsRunningPerServerMax: number;
}

/** Seconds after which a refused call is worth another try. */
const retryAfterSeconds = 1;

/** Makes the admission, with every place free. */
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
