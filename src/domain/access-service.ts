/**
 * Authentication by API key or access token, and management of API keys. A key's secret is shown once, stored as a hash and
 * compared in constant time. Access tokens are accepted if an issuer is configured.
 */
import { type ApiKey, anonymousCaller, type Caller, type KeyFilter, type KeyRequest } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { AccessStore } from '../stores/access-store.ts';
import type { Database } from '../stores/database.ts';
import { inActiveSpan, inSpan } from '../telemetry/span.ts';
import { type AuthFailure, callerOfHolder, createAuthentication, secretDigest } from './access/authentication.ts';
import { type CredentialLifetimes, createCredentialLifetimes } from './access/credential-lifetime.ts';
import type { AccessGuard } from './access/guard.ts';
import type { IssuerSignIn } from './access/issuer-sign-in.ts';
import { createKeyCache, type KeyCache } from './access/key-cache.ts';
import { type CreatedKey, firstKey, keyFields, newKey } from './access/new-key.ts';
import type { RateLimits } from './access/rate-limits.ts';
import { createSignIn, type SignIn } from './access/sign-in.ts';
import type { AccessTokens } from './access/tokens.ts';
import type { AuditTrail } from './audit/trail.ts';

/** The credential of a request and its origin. */
export interface AccessRequest {
  /** The API key or access token; undefined if the request has none. It is never logged or recorded. */
  secret: string | undefined;
  /** The client's address; undefined if the connection has none. */
  address: string | undefined;
}

/** Authenticates requests and manages API keys. */
export interface AccessService {
  /**
   * Authenticates a request and counts it against the rate limits. Compares a key's secret in constant time.
   * @returns the caller that the key or access token belongs to, with the signal that aborts when either ends
   * @throws HestiaError UNAUTHENTICATED, whose reason is recorded but not in the message; RATE_LIMITED;
   *   ISSUER_UNAVAILABLE if an access token cannot be verified now
   */
  admit(request: AccessRequest): Promise<Caller>;
  /** Counts a further message of an admitted request against the rate limits. @throws HestiaError RATE_LIMITED */
  countRequest(caller: Caller): Promise<void>;
  create(caller: Caller, request: KeyRequest): Promise<CreatedKey>;
  /** A page of the keys that match all given filters, in the order of their ids. */
  list(caller: Caller, page: KeyFilter & { after?: string | undefined; limit: number }): Promise<ApiKey[]>;
  /** Revokes a key at once, and ends what its callers have open. Idempotent. @throws HestiaError NOT_FOUND; CONFLICT for the last operator's key */
  revoke(caller: Caller, keyId: string): Promise<void>;
  /**
   * Creates the first operator's key, or returns undefined if any key exists. `saveSecret` is called inside the
   * transaction: if it throws, no key is created.
   */
  createFirst(saveSecret: (secret: string) => void): Promise<CreatedKey | undefined>;
  /** Sessions of people in a browser. */
  signIn: SignIn;
  /**
   * Stores when keys were last used, and the end of those that have expired. Called once a minute and at shutdown; may be
   * repeated. @throws HestiaError STORAGE_FAILED
   */
  saveUses(): Promise<void>;
}

/** Dependencies of the service. */
export interface AccessServiceDeps {
  database: Database;
  accessStore: AccessStore;
  /** Authenticates access tokens; undefined if no issuer is configured. */
  tokens: AccessTokens | undefined;
  /** Signs people in at the issuer of access tokens; undefined if none is configured. */
  issuerSignIn: IssuerSignIn | undefined;
  rateLimits: RateLimits;
  trail: AuditTrail;
  guard: AccessGuard;
  now: () => number;
}

/** The caller that the records name as the creator of the first key. */
const bootstrapCaller: Caller = { keyId: 'start', agentId: 'hestia', namespace: 'default', role: 'operator' };

/** Creates the service. */
export function createAccessService(deps: AccessServiceDeps): AccessService {
  const { accessStore, tokens, rateLimits, guard, now } = deps;
  const keys = createKeyCache(accessStore);
  const lifetimes = createCredentialLifetimes(now);
  let uses = new Map<string, number>();
  const authenticate = createAuthentication({ keys, lifetimes, tokens });
  const admit: AccessService['admit'] = async ({ secret, address }) => {
    const caller = await authenticate(secret);
    if ('failure' in caller) return refuse(deps, caller.failure, address);
    uses.set(caller.keyId, now());
    await rateLimits.countRequest(caller);
    return caller;
  };
  return {
    admit,
    countRequest: rateLimits.countRequest,
    signIn: createSignIn({ ...deps, admit, callerOf: (holder) => callerOfHolder(holder, { keys, lifetimes }) }),
    saveUses: () => {
      const saving = uses;
      uses = new Map();
      return saveUses(deps, { keys, lifetimes, uses: saving });
    },
    create: async (caller, request) => {
      await guard.require(caller, 'key.manage');
      return insertKey(deps, caller, request);
    },
    list: async (caller, page) => {
      await guard.require(caller, 'key.manage');
      return accessStore.listKeys({ ...page, now: now() });
    },
    revoke: async (caller, keyId) => {
      await guard.require(caller, 'key.manage');
      try {
        const { expiresAt } = await revokeKey(deps, caller, keyId);
        lifetimes.end({ keyId, expiresAt });
      } finally {
        keys.forget(keyId);
      }
    },
    createFirst: async (saveSecret) => {
      if ((await accessStore.countKeys()) > 0) return undefined;
      return insertKey(deps, bootstrapCaller, firstKey, saveSecret);
    },
  };
}

async function saveUses(
  { database, accessStore, now }: AccessServiceDeps,
  { keys, lifetimes, uses }: { keys: KeyCache; lifetimes: CredentialLifetimes; uses: Map<string, number> },
): Promise<void> {
  lifetimes.endExpired();
  const at = now();
  if (uses.size === 0 && !(await accessStore.hasExpiredKeys(at))) return;
  const endedCount = await database.transaction(async (tx) => {
    await accessStore.recordLastUse(tx, uses);
    return accessStore.endExpiredKeys(tx, at);
  });
  if (endedCount > 0) keys.forgetAll();
}

/** Counts and records a failed authentication. @throws HestiaError always: UNAUTHENTICATED or RATE_LIMITED */
async function refuse(
  { rateLimits, trail }: AccessServiceDeps,
  failure: AuthFailure,
  address: string | undefined,
): Promise<never> {
  await rateLimits.countFailure(address);
  const fields = { agent_id: anonymousCaller.agentId, error_type: failure };
  const event = { kind: 'security', name: 'AUTH_FAILED', failed: true, fields } as const;
  const source = address ?? 'no address';
  await inActiveSpan('authenticate', (span) => trail.refusals.record({ event, by: anonymousCaller, span }, source));
  throw new HestiaError('UNAUTHENTICATED', 'send "Authorization: Bearer <key>" with a valid key');
}

function insertKey(
  { accessStore, trail, now }: AccessServiceDeps,
  caller: Caller,
  request: KeyRequest,
  saveSecret: (secret: string) => void = () => {},
): Promise<CreatedKey> {
  return inSpan('key.create', {}, async (span) => {
    const { key, secret } = newKey(request, now());
    const event = { kind: 'security', name: 'KEY_CREATED', failed: false, fields: keyFields(key) } as const;
    await trail.commit({ event, by: caller, span }, async (tx) => {
      saveSecret(secret);
      await accessStore.insertKey(tx, { key, secretHash: secretDigest(secret) });
    });
    return { key, secret };
  });
}

/** Revokes a key, unless it is revoked already, and returns it. */
async function revokeKey(
  { accessStore, trail, now }: AccessServiceDeps,
  caller: Caller,
  keyId: string,
): Promise<ApiKey> {
  const found = await accessStore.findKey(keyId);
  if (found === undefined) throw notFound('key');
  if (found.key.revokedAt !== undefined) return found.key;
  if (found.key.role === 'operator' && !(await hasOtherOperator(accessStore, keyId))) {
    throw new HestiaError('CONFLICT', 'this is the last key of an operator; create another one first');
  }
  await inSpan('key.revoke', {}, async (span) => {
    const event = { kind: 'security', name: 'KEY_REVOKED', failed: false, fields: keyFields(found.key) } as const;
    try {
      await trail.commit({ event, by: caller, span }, async (tx) => {
        if (!(await accessStore.revokeKey(tx, keyId, now()))) throw new AlreadyRevoked();
      });
    } catch (error) {
      if (!(error instanceof AlreadyRevoked)) throw error;
    }
  });
  return found.key;
}

/** A concurrent request revoked the key first: nothing is left to change or record. */
class AlreadyRevoked extends Error {
  override readonly name = 'AlreadyRevoked';
}

/** Keys read at once in the search for another operator. */
const keysPageSize = 200;

async function hasOtherOperator(accessStore: AccessStore, keyId: string): Promise<boolean> {
  let after: string | undefined;
  while (true) {
    const page = await accessStore.listKeys({ ...(after !== undefined && { after }), limit: keysPageSize });
    if (page.some((key) => isPermanentOperator(key) && key.keyId !== keyId)) return true;
    after = page.at(-1)?.keyId;
    if (page.length < keysPageSize) return false;
  }
}

/** An operator's key that does not expire. At least one must remain, so that the hub can be operated. */
function isPermanentOperator({ role, revokedAt, expiresAt }: ApiKey): boolean {
  return role === 'operator' && revokedAt === undefined && expiresAt === undefined;
}
