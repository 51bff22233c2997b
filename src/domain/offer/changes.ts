/** Changes of what upstream servers offer, reported to the endpoints of the hub. */
import type { Caller } from '../../shapes/access.ts';
import type { OfferChange } from '../../upstream/offers/offer-list.ts';
import { isServerInScope } from '../access/scope.ts';

/** A change: of the tools, prompts or resources of a server, or of the content of one resource. */
export type ServerOfferChange = { serverId: string } & OfferChange;

/** Is called with a change, and whether it concerns a caller: for others the server does not exist. */
export type OfferChangeListener = (change: ServerOfferChange, concerns: (caller: Caller) => boolean) => void;

/** Passes changes on. */
export interface OfferChanges {
  /** Calls the listener with each change, until the returned function is called. */
  onChange(listener: OfferChangeListener): () => void;
  report(change: ServerOfferChange): void;
}

/** Creates it, without listeners. */
export function createOfferChanges(): OfferChanges {
  const listeners = new Set<OfferChangeListener>();
  return {
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    report: (change) => {
      const concerns = ({ scope }: Caller) => isServerInScope(scope, change.serverId);
      for (const listener of listeners) listener(change, concerns);
    },
  };
}
