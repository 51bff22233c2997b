/** Matching of regular expressions of scan rules, window by window, which bounds the cost of a match. Pure. */

/** UTF-16 units of a window. A longer line has several, which overlap. */
export const expressionWindowLength = 1_200;
const windowOverlap = 300;

/**
 * The text that the first of the expressions matches in a line; undefined if none does. Yields before each expression but
 * the first, since V8 compiles an expression when it is first used, which takes some milliseconds.
 */
export function* expressionMatch(expressions: readonly RegExp[], line: string): Generator<void, string | undefined> {
  for (let from = 0; from < line.length; from += expressionWindowLength - windowOverlap) {
    const window = line.slice(from, from + expressionWindowLength);
    for (const [index, expression] of expressions.entries()) {
      if (index > 0) yield;
      const found = expression.exec(window);
      if (found !== null) return found[0];
    }
  }
  return undefined;
}
