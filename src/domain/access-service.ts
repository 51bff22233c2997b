/**
 * API keys: made once, shown once, stored as hashes, found again by their id and compared in constant time; and, where
 * an issuer is trusted, the agents its access tokens name.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type ApiKey, anonymousCaller, type Caller, type KeyRequest } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import { isoTime } from '../shapes/time.ts';
import type { AccessStore, StoredKey } from '../stores/access-store.ts';
import type { Database } from '../stores/database.ts';
import { inActiveSpan, inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import { createKeyCache, type KeyCache } from './access/key-cache.ts';
import type { RateLimits } from './access/rate-limits.ts';
import { type AccessTokens, looksLikeToken } from './access/tokens.ts';
import type { AuditTrail } from './audit/trail.ts';

/** A new key with its secret, which is shown this once. */
export interface CreatedKey {
  key: ApiKey;
  secret: string;
}

/** Why a request has no caller. The caller is never told which; the record is. */
export type AuthFailure =
  | 'missing'
  | 'malformed'
  | 'unknown'
  | 'revoked'
  | 'expired'
  | 'invalid_token'
  | 'invalid_claims';

/** What a request presents. */
export interface AccessRequest {
  /** The API key or access token; undefined where there is none. It is never logged or recorded. */
  secret: string | undefined;
  /** The client's address; undefined where the connection has none. */
  address: string | undefined;
}

/** API keys and access tokens, and the callers they belong to. */
export interface AccessService {
  /**
   * Authenticates a request and counts it against the rate limits. Constant time in a key's secret.
   * @returns the caller that the presented key or access token belongs to
   * @throws HestiaError UNAUTHENTICATED, with the reason on record and never in the message; RATE_LIMITED;
   *   ISSUER_UNAVAILABLE where an access token cannot be verified now
   */
  admit(request: AccessRequest): Promise<Caller>;
  create(caller: Caller, request: KeyRequest): Promise<CreatedKey>;
  list(caller: Caller, page: { after?: string | undefined; limit: number }): Promise<ApiKey[]>;
  /** Revokes at once; revoking twice is the same as once. @throws HestiaError NOT_FOUND */
  revoke(caller: Caller, keyId: string): Promise<void>;
  /**
   * Creates the first operator's key where no key exists yet; undefined where one does. `keep` is given the secret
   * inside the transaction: where it throws, there is no key.
   */
  createFirst(keep: (secret: string) => void): Promise<CreatedKey | undefined>;
  /** Writes down when keys were last used; called once a minute and at the end. Repeatable. @throws HestiaError STORAGE_FAILED */
  saveUses(): Promise<void>;
}

/** What the service is made of. */
export interface AccessServiceDeps {
  database: Database;
  accessStore: AccessStore;
  /** Judges access tokens; undefined where no issuer is trusted. */
  tokens: AccessTokens | undefined;
  rateLimits: RateLimits;
  trail: AuditTrail;
  guard: AccessGuard;
  now: () => number;
}

/** `hst_`, the key's id (16 hex digits), `_`, and 256 random bits in base64url. */
const secretPattern = /^hst_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** The recorded creator of the first key, when no caller exists yet. */
const bootstrapCaller: Caller = { keyId: 'start', agentId: 'hestia', namespace: 'default', role: 'operator' };

/** Creates the service. */
export function createAccessService(deps: AccessServiceDeps): AccessService {
  const { database, accessStore, tokens, rateLimits, guard, now } = deps;
  const keys = createKeyCache(accessStore);
  let uses = new Map<string, number>();
  const authenticate = async (secret: string | undefined) => {
    if (tokens !== undefined && secret !== undefined && looksLikeToken(secret)) return tokens.caller(secret);
    const caller = callerOf(secret, await findPresented(keys, secret), now());
    if (!('failure' in caller)) uses.set(caller.keyId, now());
    return caller;
  };
  return {
    admit: async ({ secret, address }) => {
      const caller = await authenticate(secret);
      if ('failure' in caller) return refuse(deps, caller.failure, address);
      await rateLimits.countRequest(caller);
      return caller;
    },
    saveUses: async () => {
      if (uses.size === 0) return;
      const saving = uses;
      uses = new Map();
      await database.transaction((tx) => accessStore.recordLastUse(tx, saving));
    },
    create: async (caller, request) => {
      await guard.require(caller, 'key.manage');
      return insertKey(deps, caller, request);
    },
    list: async (caller, page) => {
      await guard.require(caller, 'key.manage');
      return accessStore.listKeys(page);
    },
    revoke: async (caller, keyId) => {
      await guard.require(caller, 'key.manage');
      try {
        await revokeKey(deps, caller, keyId);
      } finally {
        keys.forget(keyId);
      }
    },
    createFirst: async (keep) => {
      if ((await accessStore.countKeys()) > 0) return undefined;
      return insertKey(deps, bootstrapCaller, { agentId: 'operator', namespace: 'default', role: 'operator' }, keep);
    },
  };
}

/** Counts and records a failed authentication. @throws HestiaError UNAUTHENTICATED or RATE_LIMITED, always */
async function refuse(
  { rateLimits, trail }: AccessServiceDeps,
  failure: AuthFailure,
  address: string | undefined,
): Promise<never> {
  await rateLimits.countFailure(address);
  const fields = { agent_id: anonymousCaller.agentId, error_type: failure };
  const event = { kind: 'security', name: 'AUTH_FAILED', failed: true, fields } as const;
  await inActiveSpan('authenticate', (span) => trail.record({ event, by: anonymousCaller, span }));
  throw new HestiaError('UNAUTHENTICATED', 'send "Authorization: Bearer <key>" with a key that is valid');
}

async function findPresented(keys: KeyCache, secret: string | undefined): Promise<StoredKey | undefined> {
  const keyId = secret && secretPattern.exec(secret)?.[1];
  return keyId ? keys.find(keyId) : undefined;
}

/** Who a presented secret stands for. The time it takes does not tell whether there is such a key. */
function callerOf(
  secret: string | undefined,
  found: StoredKey | undefined,
  nowMs: number,
): Caller | { failure: AuthFailure } {
  if (secret === undefined) return { failure: 'missing' };
  if (!secretPattern.test(secret)) return { failure: 'malformed' };
  const matches = hasDigest(secret, found?.secretHash ?? noDigest);
  if (found === undefined || !matches) return { failure: 'unknown' };
  const { keyId, agentId, namespace, role, revokedAt, expiresAt } = found.key;
  if (revokedAt !== undefined) return { failure: 'revoked' };
  if (expiresAt !== undefined && expiresAt <= nowMs) return { failure: 'expired' };
  return { keyId, agentId, namespace, role };
}

function insertKey(
  { accessStore, trail, now }: AccessServiceDeps,
  caller: Caller,
  request: KeyRequest,
  keep: (secret: string) => void = () => {},
): Promise<CreatedKey> {
  return inSpan('key.create', {}, async (span) => {
    const { key, secret } = newKey(request, now());
    const event = { kind: 'security', name: 'KEY_CREATED', failed: false, fields: keyFields(key) } as const;
    await trail.commit({ event, by: caller, span }, async (tx) => {
      keep(secret);
      await accessStore.insertKey(tx, { key, secretHash: digest(secret) });
    });
    return { key, secret };
  });
}

async function revokeKey({ accessStore, trail, now }: AccessServiceDeps, caller: Caller, keyId: string): Promise<void> {
  const found = await accessStore.findKey(keyId);
  if (found === undefined) throw notFound('key');
  if (found.key.revokedAt !== undefined) return;
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
}

/** Another request was faster: there is nothing left to do, nor to tell. */
class AlreadyRevoked extends Error {
  override readonly name = 'AlreadyRevoked';
}

/** Keys looked at in one read while an operator is sought. */
const keysPageSize = 200;

async function hasOtherOperator(accessStore: AccessStore, keyId: string): Promise<boolean> {
  let after: string | undefined;
  while (true) {
    const page = await accessStore.listKeys({ ...(after !== undefined && { after }), limit: keysPageSize });
    if (page.some((key) => isLastingOperator(key) && key.keyId !== keyId)) return true;
    after = page.at(-1)?.keyId;
    if (page.length < keysPageSize) return false;
  }
}

/** An operator's key that will not end by itself, so that the hub can always be operated. */
function isLastingOperator({ role, revokedAt, expiresAt }: ApiKey): boolean {
  return role === 'operator' && revokedAt === undefined && expiresAt === undefined;
}

const dayMs = 86_400_000;

function newKey({ expiresInDays, ...request }: KeyRequest, createdAt: number): CreatedKey {
  const keyId = randomBytes(8).toString('hex');
  const secret = `hst_${keyId}_${randomBytes(32).toString('base64url')}`;
  const expiresAt = expiresInDays === undefined ? undefined : Math.round(createdAt + expiresInDays * dayMs);
  return { key: { keyId, ...request, createdAt, expiresAt, revokedAt: undefined, lastUsedAt: undefined }, secret };
}

/** SHA-256 is enough: the secret is 256 random bits, so there is nothing to guess slowly. */
function digest(secret: string): string {
  return hash('sha256', secret);
}

/** What a key that does not exist is compared with. */
const noDigest = digest('no such key');

function hasDigest(secret: string, expected: string): boolean {
  return timingSafeEqual(hash('sha256', secret, 'buffer'), Buffer.from(expected, 'hex'));
}

function keyFields({ keyId, agentId, namespace, role, expiresAt }: ApiKey) {
  return { key_id: keyId, agent_id: agentId, namespace, role, expires_at: isoTime(expiresAt) };
}
