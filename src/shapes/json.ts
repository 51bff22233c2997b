/** JSON text from outside, before a schema has looked at it. */

/** The value of JSON text, or `undefined` where it is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
