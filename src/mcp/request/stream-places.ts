/** The places of open streams and subscriptions. All MCP endpoints share them, and each key has a share. */
import { createFairBudget } from '../../flow/fair-budget.ts';
import type { Caller } from '../../shapes/access.ts';

/** The places. */
export interface StreamPlaces {
  /**
   * Takes a place for a stream of the caller, and returns what gives it back, which has an effect once. Undefined where no place
   * is left, or the key of the caller has its share.
   */
  take(caller: Pick<Caller, 'keyId' | 'role'>): (() => void) | undefined;
}

/** How a request for a stream is made. */
export interface StreamOptions {
  /** The stream is a part of another one, which has a place already. */
  hasPlace?: boolean;
}

/** Creates the places, all free. An operator has no share, but all places. */
export function createStreamPlaces(streamsMax: number): StreamPlaces {
  const budget = createFairBudget(streamsMax);
  return {
    take: ({ keyId, role }) => {
      if (budget.take(keyId, 1, { isPrivileged: role === 'operator' }) !== undefined) return undefined;
      let isTaken = true;
      return () => {
        if (isTaken) budget.give(keyId, 1);
        isTaken = false;
      };
    },
  };
}

/** Takes a place unless the stream is a part of one that has a place. */
export function takePlace(
  places: StreamPlaces,
  caller: Pick<Caller, 'keyId' | 'role'>,
  { hasPlace = false }: StreamOptions = {},
): (() => void) | undefined {
  return hasPlace ? () => undefined : places.take(caller);
}
