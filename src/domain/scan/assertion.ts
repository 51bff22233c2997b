/** Decides whether a match counts: one that is negated, quoted, mentioned or excused does not. Pure. */
import type { PatternMatch, SentenceIndex } from './pattern.ts';
import type { PreparedRule } from './rules/rule-set.ts';
import type { Segment } from './segments.ts';
import type { ScanToken } from './tokens.ts';

/** How many tokens before a match a negation or a mention still applies to it. */
const contextTokensMax = 9;
/** How many tokens after a negation a verb such as "forget" cancels it. */
const doubleNegationTokensMax = 2;

/** The sentence of a match. */
export interface MatchContext {
  index: SentenceIndex;
  kind: Segment['kind'];
  /** Whether the text around the sentence says that it lists what to avoid. */
  isProhibited: boolean;
}

/** Whether the match is an instruction to the agent. */
export function isAsserted(match: PatternMatch, prepared: PreparedRule, context: MatchContext): boolean {
  const { rule, excuses } = prepared;
  const { index, kind, isProhibited } = context;
  if (excuses.some((excuse) => excuse.find(index).some((found) => overlaps(found, match)))) return false;
  if (rule.assertion === 'always') return true;
  const { tokens } = index;
  const { first, last } = match;
  const before = tokens.slice(Math.max(0, first - contextTokensMax), first);
  if (isNegated(before)) return false;
  if (kind === 'hidden') return true;
  if (isProhibited) return false;
  if (rule.assertion === 'unless negated') return true;
  const isQuoted = tokens[first]?.quoted === true && tokens[last]?.quoted === true;
  const isMentioned = before.some(({ symbols }) => symbols.includes('@mention'));
  // Prose puts the commands it wants run in backticks, so quotation alone does not excuse a command.
  if (rule.scope !== 'text' && rule.scope !== 'tool') return !(isQuoted && isMentioned);
  return !isQuoted && !isMentioned;
}

function overlaps(one: PatternMatch, other: PatternMatch): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** Whether the tokens contain a negation. "Do not forget to" is none. */
function isNegated(before: readonly ScanToken[]): boolean {
  return before.some(({ symbols }, position) => {
    if (!symbols.includes('@negation')) return false;
    const next = before.slice(position + 1, position + 1 + doubleNegationTokensMax);
    return !next.some((token) => token.symbols.includes('@omit'));
  });
}
