/** Identifiers: a prefix that says what it names, and a random UUID. */
import { randomUUID } from 'node:crypto';

/** What can be named: a call, a search, a skill, an activation, an entry of the quarantine. */
export type IdPrefix = 'call' | 'srch' | 'skl' | 'act' | 'qtn';

/** A new identifier such as `call_6f1c…`; unique without coordination (RFC 9562, version 4). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomUUID()}`;
}
