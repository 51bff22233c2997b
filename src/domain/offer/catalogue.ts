/**
 * Keeps the index of prompts and resources equal to what the connected servers list.
 * What the content scan holds is not indexed. The scope of a key is checked by each search.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createDebouncedQueue } from '../../flow/debounced-queue.ts';
import type { ToolIndex } from '../../search-index/tool-index.ts';
import { hubCaller } from '../../shapes/access.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import type { Log } from '../../telemetry/log.ts';
import type { OfferKind } from '../../upstream/offers/offer-list.ts';
import { indexedOffer } from './indexed-offer.ts';
import { type VisibleOffersDeps, visibleOffers } from './visible-offers.ts';

/** The catalogue. Disposal stops it, and waits for the listing in progress. */
export interface OfferCatalogue extends AsyncDisposable {
  /** Lists what a server offers again, after a change of its lists or of its state, or a decision of an operator. Never throws. */
  refresh(serverId: string): void;
}

/** Dependencies of the catalogue. */
export interface OfferCatalogueDeps extends VisibleOffersDeps {
  offerIndex: ToolIndex;
  log: Log;
  /** Set in tests. */
  retryMs?: number;
}

const kinds = ['prompts', 'resources', 'templates'] as const satisfies readonly OfferKind[];

/** The most entries of each list of a server that are indexed, the first ones. */
export const indexedOffersMax = 1_000;
/** The delay after a change in which further ones gather, and the longest that a listing is delayed, in milliseconds. */
const gatherMs = 50;
const gatherMsMax = 500;
/** The delay until a list that failed is requested again, in milliseconds, and the most such requests in a row. */
const retryMsDefault = 30_000;
const retriesMax = 3;
/** The longest that one list may take, in milliseconds. */
const listMsMax = 60_000;

/** The rest after a listing, as a multiple of its time: lists that always change take a fifth of the time. */
const restFactor = 4;
const restMsMax = 60_000;

/** Creates the catalogue. */
export function createOfferCatalogue(deps: OfferCatalogueDeps): OfferCatalogue {
  const stopping = new AbortController();
  const retries = new Map<string, number>();
  const queue = createDebouncedQueue({
    pauseMs: gatherMs,
    postponedMsMax: gatherMsMax,
    run: async (serverId) => {
      const startedAt = performance.now();
      const isComplete = await indexOffers(deps, serverId);
      const count = retries.get(serverId) ?? 0;
      if (isComplete) retries.delete(serverId);
      if (!isComplete && count < retriesMax) {
        retries.set(serverId, count + 1);
        setTimeout(() => queue.request(serverId), deps.retryMs ?? retryMsDefault).unref();
      }
      const restMs = Math.min(restMsMax, restFactor * (performance.now() - startedAt));
      await delay(restMs, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined);
    },
  });
  return {
    refresh: queue.request,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** Replaces the entries of a server. Of a list that cannot be read the earlier entries are kept. Returns whether all could be read. */
async function indexOffers(deps: OfferCatalogueDeps, serverId: string): Promise<boolean> {
  const { pool, offerIndex } = deps;
  const isConnected = () => (pool.status(serverId)?.state ?? 'disconnected') !== 'disconnected';
  const before = offerIndex.list({ serverId });
  const offers: IndexedTool[] = [];
  let isComplete = true;
  for (const kind of isConnected() ? kinds : []) {
    const listed = await listedOffers(deps, serverId, kind);
    isComplete &&= listed !== undefined;
    offers.push(...(listed ?? before.filter(({ offer }) => offer?.kind === kind)));
  }
  if (offers.length > 0 || before.length > 0) {
    await offerIndex.replaceServerInSlices(serverId, isConnected() ? offers : []);
  }
  return isComplete;
}

async function listedOffers(
  deps: OfferCatalogueDeps,
  serverId: string,
  kind: OfferKind,
): Promise<IndexedTool[] | undefined> {
  try {
    const signal = AbortSignal.timeout(listMsMax);
    const entries = await visibleOffers(deps, hubCaller, { serverId, kind, signal });
    return entries.slice(0, indexedOffersMax).map((entry) => indexedOffer(serverId, kind, entry));
  } catch (error) {
    deps.log.debug('Prompts or resources of a server cannot be listed', { server_id: serverId, kind }, { error });
    return undefined;
  }
}
