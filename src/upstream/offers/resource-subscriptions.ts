/**
 * Subscriptions to the resources of one upstream server, counted by URI. However many clients subscribe, the server sees
 * one subscription. They are renewed in each new session.
 */
import type { Config } from '../../shapes/configuration/config.ts';
import { UpstreamCallError } from '../call-failure.ts';
import { keepSubscribed } from '../list-watch.ts';
import { sendRequest } from '../request/server-request.ts';
import type { Session } from '../session.ts';
import type { OfferChange } from './offer-list.ts';

/** Dependencies of the subscriptions. */
export interface ResourceSubscriptionsDeps {
  limits: Config['limits'];
  random: () => number;
  onChanged(change: OfferChange): void;
}

interface Subscription {
  count: number;
  /** Settles when the server has accepted it. */
  accepted: Promise<void>;
  /** Ends it in a session of protocol 2026-07-28. */
  ending: AbortController;
}

/** The most subscriptions of one server. */
const subscriptionsMax = 1000;

/** Owned by the cache of the server's lists. */
export class ResourceSubscriptions {
  readonly #deps: ResourceSubscriptionsDeps;
  readonly #byUri = new Map<string, Subscription>();
  #session: Session | undefined;

  constructor(deps: ResourceSubscriptionsDeps) {
    this.#deps = deps;
  }

  /** Renews all subscriptions in a new session. What was updated in between is not known, so that all count as updated. */
  useSession(session: Session | undefined): void {
    this.#session = session;
    if (session === undefined) return;
    for (const [uri, subscription] of this.#byUri) {
      subscription.accepted = this.#subscribe(session, uri, subscription.ending.signal);
      subscription.accepted.then(
        () => this.#deps.onChanged({ kind: 'updated', uri }),
        () => {},
      );
    }
  }

  /**
   * Subscribes until the returned function is called.
   * @throws UpstreamCallError, and nothing else
   */
  async subscribe(uri: string): Promise<() => void> {
    const session = this.#session;
    if (session === undefined) throw new UpstreamCallError('server_unavailable');
    const found = this.#byUri.get(uri);
    const subscription = found ?? this.#open(session, uri);
    subscription.count += 1;
    let isOpen = true;
    const release = () => {
      if (isOpen) this.#release(uri, subscription);
      isOpen = false;
    };
    try {
      await subscription.accepted;
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  #open(session: Session, uri: string): Subscription {
    if (this.#byUri.size >= subscriptionsMax) throw new UpstreamCallError('server_unavailable');
    const ending = new AbortController();
    const subscription = { count: 0, ending, accepted: this.#subscribe(session, uri, ending.signal) };
    this.#byUri.set(uri, subscription);
    return subscription;
  }

  #release(uri: string, subscription: Subscription): void {
    subscription.count -= 1;
    if (subscription.count > 0 || this.#byUri.get(uri) !== subscription) return;
    this.#byUri.delete(uri);
    subscription.ending.abort();
    const session = this.#session;
    if (session?.era !== 'legacy') return;
    const signal = AbortSignal.timeout(this.#deps.limits.connectTimeoutMs);
    // If it fails, the server keeps sending updates, which reach nobody.
    sendRequest({ method: 'resources/unsubscribe', params: { uri }, signal }, { ...this.#deps, session }).catch(
      () => {},
    );
  }

  async #subscribe(session: Session, uri: string, ending: AbortSignal): Promise<void> {
    if (session.era === 'legacy') {
      const signal = AbortSignal.timeout(this.#deps.limits.connectTimeoutMs);
      await sendRequest({ method: 'resources/subscribe', params: { uri }, signal }, { ...this.#deps, session });
      return;
    }
    const filter = { resourceSubscriptions: [uri] };
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = { ...this.#deps, onSubscriptionEnded: resolve };
    void keepSubscribed(session, watch, { filter, onOpen: resolve, ending });
    await promise;
  }
}
