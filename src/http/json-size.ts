/** The number of values in a JSON text, which says how much memory the parsed value takes. Linear, and without parsing. */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const openBrace = 0x7b;

/** Counts the values: at most one for each comma and each opening bracket outside of strings, and the outermost. */
export function jsonValues(text: Uint8Array): number {
  let count = 1;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (isInString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === comma || byte === openBracket || byte === openBrace) count += 1;
  }
  return count;
}
