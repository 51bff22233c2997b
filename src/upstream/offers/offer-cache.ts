/**
 * The prompts, resources and templates of one upstream server. Each list is fetched when it is first needed, and again after
 * the server has reported a change or a new session has begun.
 */
import { createDebouncedQueue, type DebouncedQueue } from '../../flow/debounced-queue.ts';
import { unlessAborted } from '../../flow/time-limit.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { UpstreamCallError } from '../call-failure.ts';
import { keepSubscribed } from '../list-watch.ts';
import type { UpstreamLog } from '../log.ts';
import type { Session } from '../session.ts';
import { fetchOffers, type OfferChange, type OfferKind } from './offer-list.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';

/** Dependencies of the cache. */
export interface OfferCacheDeps {
  serverId: string;
  limits: Config['limits'];
  log: UpstreamLog;
  random: () => number;
  /** Called after each change, and for lists that were fetched before when a new session begins. */
  onChanged(change: OfferChange): void;
}

/** Change notifications within this time count as one, in milliseconds. */
const debounceMs = 200;

/** Owned by the connection, and used for one session after another. */
export class OfferCache {
  readonly subscriptions: ResourceSubscriptions;
  readonly #deps: OfferCacheDeps;
  readonly #changes: DebouncedQueue;
  #session: Session | undefined;
  #fetches = new Map<OfferKind, Promise<readonly JsonObject[]>>();
  readonly #lastLists = new Map<OfferKind, readonly JsonObject[]>();
  #isWatched = false;

  constructor(deps: OfferCacheDeps) {
    this.#deps = deps;
    this.subscriptions = new ResourceSubscriptions(deps);
    const run = async (kind: string) => {
      if (kind === 'prompts' || kind === 'resources') deps.onChanged({ kind });
    };
    this.#changes = createDebouncedQueue({ pauseMs: debounceMs, postponedMsMax: debounceMs, run });
  }

  /** Begins to use a session. */
  useSession(session: Session): void {
    this.#session = session;
    this.#isWatched = false;
    for (const kind of this.#lastLists.keys()) this.#changed(kind);
    this.#fetches = new Map();
    const { client } = session;
    client.onNotification('notifications/prompts/list_changed', () => this.#changed('prompts'));
    client.onNotification('notifications/resources/list_changed', () => this.#changed('resources'));
    client.onNotification('notifications/resources/updated', ({ uri }) => {
      if (typeof uri === 'string') this.#deps.onChanged({ kind: 'updated', uri });
    });
    this.subscriptions.useSession(session);
  }

  /** Forgets the session, which has ended. The last lists are kept. */
  endSession(): void {
    this.#session = undefined;
    this.subscriptions.useSession(undefined);
  }

  /** @throws UpstreamCallError, and nothing else */
  async list(kind: OfferKind, signal: AbortSignal): Promise<readonly JsonObject[]> {
    const session = this.#session;
    if (session === undefined) {
      const last = this.#lastLists.get(kind);
      if (last === undefined) throw new UpstreamCallError('server_unavailable');
      return last;
    }
    this.#watch(session);
    try {
      return await unlessAborted(this.#fetch(kind, session), signal);
    } catch (error) {
      throw error instanceof UpstreamCallError ? error : new UpstreamCallError('cancelled');
    }
  }

  #fetch(kind: OfferKind, session: Session): Promise<readonly JsonObject[]> {
    const current = this.#fetches.get(kind);
    if (current !== undefined) return current;
    const fetch = fetchOffers(kind, { ...this.#deps, session });
    this.#fetches.set(kind, fetch);
    fetch.then(
      (list) => {
        if (this.#session === session) this.#lastLists.set(kind, list);
      },
      () => {
        if (this.#fetches.get(kind) === fetch) this.#fetches.delete(kind);
      },
    );
    return fetch;
  }

  #changed(kind: OfferKind): void {
    this.#fetches.delete(kind);
    if (kind === 'resources') this.#fetches.delete('templates');
    this.#changes.request(kind === 'templates' ? 'resources' : kind);
  }

  /** Subscribes to changes of the lists, where the protocol needs that. Only servers whose lists are used are asked. */
  #watch(session: Session): void {
    if (this.#isWatched || session.era !== 'modern') return;
    this.#isWatched = true;
    const { prompts, resources } = session.client.getServerCapabilities() ?? {};
    const filter = {
      ...(prompts?.listChanged === true && { promptsListChanged: true }),
      ...(resources?.listChanged === true && { resourcesListChanged: true }),
    };
    if (Object.keys(filter).length === 0) return;
    let isFirst = true;
    const onOpen = () => {
      if (!isFirst) for (const kind of ['prompts', 'resources'] as const) this.#changed(kind);
      isFirst = false;
    };
    void keepSubscribed(session, { ...this.#deps, onSubscriptionEnded: () => {} }, { filter, onOpen });
  }
}
