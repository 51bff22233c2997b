/** Matching of regular expressions of scan rules, window by window, which bounds the cost of a match. Pure. */
import type { ScanRule } from './rules/rule.ts';
import { expressionRules, lineHints } from './rules/rule-set.ts';

/** UTF-16 units of a window. A longer line has several, which overlap. */
export const expressionWindowLength = 1_200;
const windowOverlap = 300;

/** A rule with the text that it matches, in lower case. */
export interface ExpressionMatch {
  rule: ScanRule;
  found: string;
}

/** Quick to test: whether a rule may match a line, or a part of it, unless one of its words is a hint. */
export function mayMatchExpression(line: string): boolean {
  const text = withoutFormatting(line);
  return isLong(text) || lineHints.test(text);
}

/** The matches of all rules in a line, at most one for each set of expressions. Yields between costly steps. */
export function* expressionMatches(line: string): Generator<void, ExpressionMatch[]> {
  const text = withoutFormatting(line);
  const matches: ExpressionMatch[] = [];
  for (const { rule, expressions, hint, needs } of expressionRules) {
    const mayMatch = (isLong(text) || hint.test(text)) && needs?.test(text) !== false;
    const found = mayMatch ? yield* firstMatch(expressions, text) : undefined;
    if (found !== undefined) matches.push({ rule, found: found.toLowerCase() });
  }
  return matches;
}

/** Whether a line has several windows. A window may match at its beginning, as the line itself does not. */
function isLong(text: string): boolean {
  return text.length > expressionWindowLength;
}

function withoutFormatting(text: string): string {
  if (!text.includes('*') && !text.includes('  ')) return text;
  return text.replaceAll(/\*+/g, '').replaceAll(/ {2,}/g, ' ');
}

/** How often an expression is used until V8 has compiled it, for text in Latin letters and for any other. */
const usesUntilCompiled = 4;
const uses = new WeakMap<RegExp, number>();

/**
 * The text that the first of the expressions matches in a line; undefined if none does. Yields before an expression that
 * was seldom used, since V8 compiles one when it is first used, which takes some milliseconds, and between windows.
 */
function* firstMatch(expressions: readonly RegExp[], line: string): Generator<void, string | undefined> {
  for (let from = 0; from < line.length; from += expressionWindowLength - windowOverlap) {
    if (from > 0) yield;
    const window = line.slice(from, from + expressionWindowLength);
    for (const expression of expressions) {
      const count = uses.get(expression) ?? 0;
      if (count < usesUntilCompiled) {
        uses.set(expression, count + 1);
        yield;
      }
      const found = expression.exec(window);
      if (found !== null) return found[0];
    }
  }
  return undefined;
}
