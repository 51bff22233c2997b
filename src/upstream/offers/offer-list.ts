/**
 * Fetches the prompts, resources or resource templates of an upstream server, over all pages. Entries are checked one by
 * one and kept as the server sent them. Refused ones are counted and logged, without text of the upstream.
 */
import { z } from 'zod';
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { printable } from '../../shapes/text.ts';
import type { UpstreamLog } from '../log.ts';
import { CollectedEntries } from '../request/collected-entries.ts';
import { nextCursor } from '../request/next-cursor.ts';
import { sendRequest } from '../request/server-request.ts';
import type { Session } from '../session.ts';

/** What a server offers besides tools. */
export type OfferKind = 'prompts' | 'resources' | 'templates';

/** A change of what a server offers: of a list, or of the content of one resource. */
export type OfferChange = { kind: 'tools' | 'prompts' | 'resources' } | { kind: 'updated'; uri: string };

/** Dependencies of fetching a list. */
export interface OfferListDeps {
  serverId: string;
  session: Session;
  limits: Config['limits'];
  log: UpstreamLog;
}

const pagesMax = 1000;
const nameLengthMax = 256;
const uriLengthMax = 4096;

const cleanText = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((text) => text.isWellFormed() && printable(text) === text);

/** Of each list: its request, the capability that announces it, its field in the result, and what identifies an entry. */
const lists = {
  prompts: {
    method: 'prompts/list',
    capability: 'prompts',
    field: 'prompts',
    key: 'name',
    entry: z.looseObject({ name: cleanText(nameLengthMax) }),
  },
  resources: {
    method: 'resources/list',
    capability: 'resources',
    field: 'resources',
    key: 'uri',
    entry: z.looseObject({ uri: cleanText(uriLengthMax), name: z.string() }),
  },
  templates: {
    method: 'resources/templates/list',
    capability: 'resources',
    field: 'resourceTemplates',
    key: 'uriTemplate',
    entry: z.looseObject({ uriTemplate: cleanText(uriLengthMax), name: z.string() }),
  },
} as const satisfies Record<OfferKind, object>;

/** What identifies an entry in its list: its name, its URI or its URI template. */
export function offerKey(kind: OfferKind, entry: JsonObject): string {
  return String(entry[lists[kind].key]);
}

/**
 * Fetches all pages. A server that does not announce the list has none. May be repeated.
 * @throws UpstreamCallError, and nothing else.
 */
export async function fetchOffers(kind: OfferKind, deps: OfferListDeps): Promise<readonly JsonObject[]> {
  const { session, limits } = deps;
  const { method, capability, field } = lists[kind];
  if (session.client.getServerCapabilities()?.[capability] === undefined) return [];
  const signal = AbortSignal.timeout(limits.connectTimeoutMs);
  const collected = new CollectedEntries({
    entriesMax: limits.toolsPerServerMax,
    entryLengthMax: limits.toolLengthMax,
    listLengthMax: limits.toolsLengthPerServerMax,
  });
  const cursors = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax && !collected.isFull(); page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const result = await sendRequest({ method, params, signal }, { session, limits });
    const entries = result[field];
    if (Array.isArray(entries)) await collected.add(entries);
    cursor = nextCursor(result.nextCursor, cursors);
    if (cursor === undefined) break;
  }
  return checkedEntries(kind, collected, deps);
}

/** Keeps the first valid entry of each name or URI, up to the limit of the tools of a server. */
async function checkedEntries(
  kind: OfferKind,
  { entries: listed, tooLongCount }: CollectedEntries,
  { serverId, limits, log }: OfferListDeps,
): Promise<readonly JsonObject[]> {
  const slice = createTimeSlices();
  const entries = new Map<string, JsonObject>();
  for (const item of listed) {
    await slice();
    const parsed = lists[kind].entry.safeParse(item);
    if (!parsed.success || entries.size >= limits.toolsPerServerMax) continue;
    const key = offerKey(kind, parsed.data);
    if (!entries.has(key)) entries.set(key, parsed.data);
  }
  const refusedCount = listed.length + tooLongCount - entries.size;
  if (refusedCount > 0) {
    const fields = { server_id: serverId, kind, refused_count: refusedCount };
    log.warn('Prompts or resources of an upstream server were refused', fields);
  }
  return [...entries.values()];
}
