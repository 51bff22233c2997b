/** Changes of what upstream servers offer, reported to the endpoints of the hub. */
import type { OfferChange } from '../../upstream/offers/offer-list.ts';

/** A change: of the tools, prompts or resources of a server, or of the content of one resource. */
export type ServerOfferChange = { serverId: string } & OfferChange;

/** Passes changes on. */
export interface OfferChanges {
  /** Calls the listener with each change, until the returned function is called. */
  onChange(listener: (change: ServerOfferChange) => void): () => void;
  report(change: ServerOfferChange): void;
}

/** Creates it, without listeners. */
export function createOfferChanges(): OfferChanges {
  const listeners = new Set<(change: ServerOfferChange) => void>();
  return {
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    report: (change) => {
      for (const listener of listeners) listener(change);
    },
  };
}
