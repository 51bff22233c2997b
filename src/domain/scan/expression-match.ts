/** Matching of regular expressions of scan rules, window by window, which bounds the cost of a match. Pure. */

/** UTF-16 units of a window. A longer line has several, which overlap. */
export const expressionWindowLength = 1_200;
const windowOverlap = 300;

/** The text that the first of the expressions matches in a line; undefined if none does. */
export function expressionMatch(expressions: readonly RegExp[], line: string): string | undefined {
  for (let from = 0; from < line.length; from += expressionWindowLength - windowOverlap) {
    const window = line.slice(from, from + expressionWindowLength);
    for (const expression of expressions) {
      const found = expression.exec(window);
      if (found !== null) return found[0];
    }
  }
  return undefined;
}
