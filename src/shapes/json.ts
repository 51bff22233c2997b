/** JSON of unknown content: parsing text, long integers, and the type, schema and test of a JSON object. */
import { z } from 'zod';

/** A JSON object of unknown content. */
export type JsonObject = Record<string, unknown>;

/** Accepts a JSON object of unknown content. The parsed value is a shallow copy. */
export const jsonObjectSchema = z.record(z.string(), z.unknown());

/** Reports whether a parsed JSON value is an object and not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of JSON text, or `undefined` where the text is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

declare global {
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/** An integer of 16 digits or more: from there on, a number may not hold it. It may also be in text, which does no harm. */
const longInteger = /[:[,\s]-?\d{16}/;

/** The longest text, in UTF-16 units, whose digits are kept. Parsing a longer one so would hold the event loop. */
const exactLengthMax = 262_144;

/**
 * The value of JSON text, in which each integer that a number cannot hold is an object of `JSON.rawJSON`: `JSON.stringify`
 * writes its digits as they were. For values that are passed on, not computed with. Undefined where there is no such integer,
 * or where the text is too long or too deep: parsing takes 5 to 10 times as long as JSON.parse.
 */
export function exactJson(text: string): unknown {
  if (text.length > exactLengthMax || !longInteger.test(text)) return undefined;
  try {
    return JSON.parse(text, (_key, value: unknown, { source = '' }: { source?: string } = {}) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
        ? JSON.rawJSON(source)
        : value,
    );
  } catch {
    return undefined;
  }
}

/** The value with numbers in place of the objects that {@link exactJson} makes; the same value where there are none. */
export function withPlainNumbers<T>(value: T): T {
  return hasRawNumber(value) ? JSON.parse(JSON.stringify(value)) : value;
}

/** Levels of nesting that are searched. What {@link exactJson} parsed is not much deeper, or fails to be written too. */
const rawDepthMax = 500;

/** Whether a value has objects that {@link exactJson} made. */
export function hasRawNumber(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > rawDepthMax) return false;
  return JSON.isRawJSON(value) || Object.values(value).some((member) => hasRawNumber(member, depth + 1));
}

/** The object with a merge patch applied: null removes a key, objects are merged, all else replaces (RFC 7396). */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const present = merged.get(key);
    if (value === null) merged.delete(key);
    else if (isJsonObject(value)) merged.set(key, mergePatch(isJsonObject(present) ? present : {}, value));
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** The value without members that are null, at every depth: servers send them for what is absent, such as `annotations`. */
export function withoutNulls(value: JsonObject): JsonObject {
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNullsInside(member)]));
}

function withoutNullsInside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullsInside);
  return isJsonObject(value) ? withoutNulls(value) : value;
}

/** Whether a parsed JSON value is nested deeper than `levelsMax`. Not recursive. */
export function isDeeperThan(levelsMax: number, root: unknown): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levelsMax) return true;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const item of Object.values(value)) next.push(item);
    }
    level = next;
  }
  return false;
}
