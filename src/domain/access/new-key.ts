/** New API keys: their id, their secret, and the fields of events about them. */
import { randomBytes } from 'node:crypto';
import type { ApiKey, KeyRequest } from '../../shapes/access.ts';
import { isoTime } from '../../shapes/time.ts';

/** A new key with its secret, which cannot be read again. */
export interface CreatedKey {
  key: ApiKey;
  secret: string;
}

/** The key that a hub is operated with first. */
export const firstKey: KeyRequest = { agentId: 'operator', namespace: 'default', role: 'operator' };

const dayMs = 86_400_000;

/** Creates a key. `createdAt` is Unix milliseconds. */
export function newKey({ expiresInDays, ...request }: KeyRequest, createdAt: number): CreatedKey {
  const keyId = randomBytes(8).toString('hex');
  const secret = `hst_${keyId}_${randomBytes(32).toString('base64url')}`;
  const expiresAt = expiresInDays === undefined ? undefined : Math.round(createdAt + expiresInDays * dayMs);
  return { key: { keyId, ...request, createdAt, expiresAt, revokedAt: undefined, lastUsedAt: undefined }, secret };
}

/** The fields of an event about a key. */
export function keyFields({ keyId, agentId, namespace, role, expiresAt, scope }: ApiKey) {
  const limits = scope && { scope: JSON.stringify(scope) };
  return { key_id: keyId, agent_id: agentId, namespace, role, expires_at: isoTime(expiresAt), ...limits };
}
