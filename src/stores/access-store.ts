/** The store of API keys: the owner of each key and the hash of its secret. It never sees a secret. */
import { z } from 'zod';
import { type ApiKey, apiKeySchema, type KeyFilter, keyScopeSchema } from '../shapes/access.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** A key with the hash of its secret. */
export interface StoredKey {
  key: ApiKey;
  secretHash: string;
}

/** Reads and writes API keys. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface AccessStore {
  insertKey(tx: Transaction, stored: StoredKey): Promise<void>;
  /** Finds revoked keys too; their `revokedAt` is set. */
  findKey(keyId: string): Promise<StoredKey | undefined>;
  /** Keys that match all given filters, in the order of their ids, after the id `after`; at most `limit`. */
  listKeys(page: KeyPage): Promise<ApiKey[]>;
  /** Returns false if the key does not exist or is already revoked. `revokedAt` is Unix milliseconds. */
  revokeKey(tx: Transaction, keyId: string, revokedAt: number): Promise<boolean>;
  /** Stores the time of last use (Unix milliseconds) by key id. Unknown keys are ignored. May be repeated. */
  recordLastUse(tx: Transaction, uses: ReadonlyMap<string, number>): Promise<void>;
  /** Whether {@link endExpiredKeys} has something to do. `now` is Unix milliseconds. */
  hasExpiredKeys(now: number): Promise<boolean>;
  /**
   * Stores the end of expired keys, as a revocation at their expiry, so that they stay ended if the clock goes back.
   * @returns how many keys it ended. `now` is Unix milliseconds
   */
  endExpiredKeys(tx: Transaction, now: number): Promise<number>;
  /** Counts revoked keys too. */
  countKeys(): Promise<number>;
}

/** A page of keys. `now`, in Unix milliseconds, is the time at which a filter by state compares them; 0 if absent. */
export type KeyPage = KeyFilter & { after?: string | undefined; limit: number; now?: number | undefined };

/** How long before its end a key is expiring, in milliseconds. */
const expiringMs = 30 * 86_400_000;

/** Creates the store of API keys in `database`. */
export function createAccessStore(database: Database): AccessStore {
  const insert = database.command(
    `INSERT INTO api_keys (key_id, agent_id, namespace, role, secret_hash, created_at, expires_at, revoked_at,
       last_used_at, scope)
     VALUES (:keyId, :agentId, :namespace, :role, :secretHash, :createdAt, :expiresAt, :revokedAt, :lastUsedAt,
       :scope)`,
  );
  const find = database.query(`SELECT ${keyColumns} FROM api_keys WHERE key_id = :keyId`, storedKeySchema);
  const list = database.query(
    `SELECT ${keyColumns} FROM api_keys WHERE key_id > :after
       AND (:query IS NULL OR instr(lower(agent_id), lower(:query)) > 0 OR instr(key_id, lower(:query)) > 0)
       AND (:namespace IS NULL OR namespace = :namespace) AND (:role IS NULL OR role = :role)
       AND (:state IS NULL OR :state = ${stateOfKey}) AND (:endsBy IS NULL OR expires_at <= :endsBy)
     ORDER BY key_id LIMIT :limit`,
    storedKeySchema,
  );
  const revoke = database.command(
    'UPDATE api_keys SET revoked_at = :revokedAt WHERE key_id = :keyId AND revoked_at IS NULL',
  );
  const recordLastUse = database.command('UPDATE api_keys SET last_used_at = :usedAt WHERE key_id = :keyId');
  const expired = database.query(
    'SELECT count(*) AS keys FROM api_keys WHERE expires_at <= :now AND revoked_at IS NULL',
    z.object({ keys: z.int() }),
  );
  const endExpired = database.command(
    'UPDATE api_keys SET revoked_at = expires_at WHERE expires_at <= :now AND revoked_at IS NULL',
  );
  const count = database.query('SELECT count(*) AS keys FROM api_keys', z.object({ keys: z.int() }));
  return {
    async insertKey(tx, { key, secretHash }) {
      insert.run(tx, { ...key, secretHash, scope: key.scope && JSON.stringify(key.scope) });
    },
    findKey: async (keyId) => find.first({ keyId }),
    listKeys: async ({ after = '', limit, now = 0, query, namespace, role, state }) => {
      const isExpiring = state === 'expiring';
      const states = { state: isExpiring ? 'valid' : state, endsBy: isExpiring ? now + expiringMs : undefined };
      const filters = { query, namespace, role, ...states };
      return list.all({ after, limit, now, ...filters }).map(({ key }) => key);
    },
    revokeKey: async (tx, keyId, revokedAt) => revoke.run(tx, { keyId, revokedAt }) === 1,
    recordLastUse: async (tx, uses) => {
      for (const [keyId, usedAt] of uses) recordLastUse.run(tx, { keyId, usedAt });
    },
    hasExpiredKeys: async (now) => (expired.first({ now })?.keys ?? 0) > 0,
    endExpiredKeys: async (tx, now) => endExpired.run(tx, { now }),
    countKeys: async () => count.first()?.keys ?? 0,
  };
}

/** The state of a key in SQL: `keyState` of shapes/access. */
const stateOfKey = `CASE WHEN revoked_at = expires_at OR (revoked_at IS NULL AND expires_at <= :now) THEN 'expired'
  WHEN revoked_at IS NOT NULL THEN 'revoked' ELSE 'valid' END`;

const keyColumns = `key_id AS keyId, agent_id AS agentId, namespace, role, secret_hash AS secretHash,
  created_at AS createdAt, expires_at AS expiresAt, revoked_at AS revokedAt, last_used_at AS lastUsedAt, scope`;

const storedKeySchema = apiKeySchema
  .extend({ secretHash: z.string(), scope: jsonColumn(keyScopeSchema).optional() })
  .transform(({ secretHash, ...key }) => ({ key, secretHash }));
