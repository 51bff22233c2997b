/** JSON of unknown content: parsing text, and the type, schema and test of a JSON object. */
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
