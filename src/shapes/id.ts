/** Identifiers: a prefix that says what is identified, and a UUID version 7, which begins with the time. */
import { randomUUIDv7 } from 'node:crypto';

/** What has an identifier: a call, a search, a skill, an activation, an entry of the quarantine, a queued audit record. */
export type IdPrefix = 'call' | 'srch' | 'skl' | 'act' | 'qtn' | 'rec';

/**
 * A new identifier such as `call_019ab…`, unique without coordination (RFC 9562, section 5.7). Identifiers of later
 * milliseconds sort later, so that inserts append to an index.
 */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomUUIDv7()}`;
}
