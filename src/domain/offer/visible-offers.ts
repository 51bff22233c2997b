/**
 * The prompts, resources and templates of a server that a caller sees. They are within the scope of its key, and admitted by
 * the content scan. A glob of `server/name` in a scope applies to prompts by name, and to resources by URI.
 */
import type { Caller } from '../../shapes/access.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ConnectionPool } from '../../upstream/connection-pool.ts';
import { type OfferKind, offerKey } from '../../upstream/offers/offer-list.ts';
import { isNameInScope } from '../access/scope.ts';
import type { OfferGate } from '../screening/offer-gate.ts';
import type { OfferTarget } from './request.ts';

/** Dependencies of the lists. */
export interface VisibleOffersDeps {
  pool: ConnectionPool;
  offerGate: OfferGate;
}

/**
 * The entries that the caller sees, as the server sent them. None for a server without a connection.
 * @throws UpstreamCallError, HestiaError STORAGE_FAILED
 */
export async function visibleOffers(
  deps: VisibleOffersDeps,
  caller: Caller,
  { serverId, kind, signal }: { serverId: string; kind: OfferKind; signal: AbortSignal },
): Promise<JsonObject[]> {
  const listed = (await deps.pool.find(serverId)?.offers(kind, signal)) ?? [];
  const offers = listed
    .map((content) => ({ serverId, name: `${kind}/${offerKey(kind, content)}`, key: offerKey(kind, content), content }))
    .filter(({ key }) => isNameInScope(caller.scope, { serverId, toolName: key }));
  return (await deps.offerGate.admitted(offers)).map(({ content }) => content);
}

/**
 * Whether the caller may use the target. A prompt must be listed. A resource need not, since templates and results of tools
 * name others, unless it is listed and held.
 * @throws HestiaError STORAGE_FAILED
 */
export async function isUsable(
  deps: VisibleOffersDeps,
  caller: Caller,
  { serverId, target, signal }: { serverId: string; target: OfferTarget; signal: AbortSignal },
): Promise<boolean> {
  const { kind, key } = target;
  if (!isNameInScope(caller.scope, { serverId, toolName: key })) return false;
  const listed = await deps.pool
    .find(serverId)
    ?.offers(kind, signal)
    .catch(() => undefined);
  // Without a list there is nothing that a client could have been told about the target.
  if (listed === undefined) return true;
  const entry = listed.find((content) => offerKey(kind, content) === key);
  if (entry === undefined) return kind !== 'prompts';
  const offer = { serverId, name: `${kind}/${key}`, content: entry };
  return (await deps.offerGate.admitted([offer])).length === 1;
}
