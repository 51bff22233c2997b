/** Identifiers: a prefix that says what it names, and a UUID that begins with the time. */
import { randomUUID } from 'node:crypto';

/** What can be named: a call, a search, a skill, an activation, an entry of the quarantine. */
export type IdPrefix = 'call' | 'srch' | 'skl' | 'act' | 'qtn';

/**
 * A new identifier such as `call_019ab…`; unique without coordination (RFC 9562, version 7). Those made later sort later, so
 * that an index of them grows at one end, which is most of what an index costs.
 */
export function newId(prefix: IdPrefix): string {
  const time = Date.now().toString(16).padStart(12, '0');
  // A version 4 has its version at 14, and what is random behind it.
  return `${prefix}_${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
