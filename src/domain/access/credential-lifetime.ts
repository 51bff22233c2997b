/**
 * The lifetimes of keys and access tokens: a signal for each, aborted when it is revoked or expires.
 * What a caller has open ends with it. What has ended stays ended for this process, also if the clock goes back.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';

/** A credential: a key, or one access token of a subject. `expiresAt` is Unix milliseconds; absent if it never expires. */
export interface Credential {
  keyId: string;
  expiresAt: number | undefined;
}

/** The lifetimes of all credentials that were used. */
export interface CredentialLifetimes {
  /** The signal of a credential, the same for each of its requests. It is aborted if the credential has ended. */
  signal(credential: Credential): AbortSignal;
  /** Ends a credential at once. May be repeated. */
  end(credential: Credential): void;
  /** Whether the credential was ended, or has expired. One that has expired is ended. */
  hasEnded(credential: Credential): boolean;
  /** Ends each credential that the clock says has expired. Called regularly, since the clock may be set ahead. */
  endExpired(): void;
}

interface Lifetime {
  credential: Credential;
  controller: AbortController;
  timer: NodeJS.Timeout | undefined;
}

/** The most ended credentials that are remembered. Keys stay ended after that too: their end is stored. */
const endedMax = 100_000;

/** The longest delay of a timer, in milliseconds. A later expiry is found by `endExpired`. */
const timerMsMax = 2_147_483_647;

/** Creates the lifetimes. `now` is Unix milliseconds. */
export function createCredentialLifetimes(now: () => number): CredentialLifetimes {
  const open = new Map<string, Lifetime>();
  const ended = new BoundedMap<string, true>(endedMax);
  const idOf = ({ keyId, expiresAt }: Credential) => `${keyId}/${expiresAt ?? ''}`;
  const end = (credential: Credential) => {
    const id = idOf(credential);
    const lifetime = open.get(id);
    open.delete(id);
    ended.set(id, true);
    clearTimeout(lifetime?.timer);
    lifetime?.controller.abort();
  };
  const hasEnded = (credential: Credential) => {
    if (ended.has(idOf(credential))) return true;
    if (credential.expiresAt === undefined || credential.expiresAt > now()) return false;
    end(credential);
    return true;
  };
  const start = (credential: Credential): Lifetime => {
    const { expiresAt } = credential;
    const leftMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : Math.ceil(expiresAt - now());
    const timer = leftMs > timerMsMax ? undefined : setTimeout(() => end(credential), leftMs).unref();
    return { credential, controller: new AbortController(), timer };
  };
  return {
    signal: (credential) => {
      if (hasEnded(credential)) return AbortSignal.abort();
      const id = idOf(credential);
      const lifetime = open.get(id) ?? start(credential);
      open.set(id, lifetime);
      return lifetime.controller.signal;
    },
    end,
    hasEnded,
    endExpired: () => {
      for (const { credential } of [...open.values()]) hasEnded(credential);
    },
  };
}
