/** Decides whether a match counts: one that is negated, quoted, mentioned or excused does not. Pure. */
import type { PatternMatch, ScanToken, SentenceIndex } from './pattern.ts';
import type { ScanRule } from './rules/rule.ts';
import type { PreparedRule } from './rules/rule-set.ts';
import type { Segment } from './segments.ts';
import { areOwnKeys, hostOf } from './words/token-classes.ts';

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

/** The tokens of a match, and all tokens of its sentence. */
export interface MatchTokens {
  matched: readonly ScanToken[];
  all: readonly ScanToken[];
}

/** Whether a match is an installer from a host that an operator allows, or sends a secret to the service it is named after. */
export function isAllowed(rule: ScanRule, { matched, all }: MatchTokens, installerHosts: readonly string[]): boolean {
  if (rule.id === 'RCE-01') {
    const hasAddress = matched.some(({ text }) => hostOf(text) !== undefined);
    return isAllowedInstaller(hasAddress ? matched : all, installerHosts);
  }
  return rule.ownKey === true && sendsOwnKey(all);
}

/** Whether all addresses among the tokens are on hosts that an operator allows installers from. */
function isAllowedInstaller(tokens: readonly ScanToken[], installerHosts: readonly string[]): boolean {
  const addresses = tokens.flatMap(({ text }) => (hostOf(text) === undefined ? [] : text.replace(/^\w+:\/\//, '')));
  const isAllowedAddress = (address: string) =>
    installerHosts.some((prefix) => address === prefix || address.startsWith(`${prefix}/`));
  return addresses.length > 0 && addresses.every(isAllowedAddress);
}

function sendsOwnKey(tokens: readonly ScanToken[]): boolean {
  const variables = tokens.filter(({ symbols }) => symbols.includes('@secretvar')).map(({ text }) => text);
  return areOwnKeys(
    variables,
    tokens.flatMap(({ text }) => hostOf(text) ?? []),
  );
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
