/** All scan rules, with their patterns compiled once and indexed by the symbols they start with. */
import { compilePattern, type Pattern } from '../pattern.ts';
import { executionRules } from './execution.ts';
import { exfiltrationRules } from './exfiltration.ts';
import { hiddenRules } from './hidden.ts';
import { imitationRules } from './imitation.ts';
import { languageRules } from './languages.ts';
import { overrideRules } from './override.ts';
import type { ScanRule } from './rule.ts';
import { secrecyRules } from './secrecy.ts';

/** A rule with one of its patterns, and its excuses. */
export interface PreparedRule {
  rule: ScanRule;
  pattern: Pattern;
  excuses: readonly Pattern[];
}

const sentenceRules: readonly ScanRule[] = [
  ...overrideRules,
  ...languageRules,
  ...secrecyRules,
  ...exfiltrationRules,
  ...executionRules,
];

/** All rules sorted by id, for documentation. */
export const allRules: readonly Pick<ScanRule, 'id' | 'severity' | 'why'>[] = [
  ...Object.values(hiddenRules),
  ...Object.values(imitationRules),
  ...sentenceRules,
].toSorted((one, other) => (one.id < other.id ? -1 : 1));

/** The rules of a place, by start symbol. Only the rules of symbols that a sentence contains can match it. */
export type RuleIndex = ReadonlyMap<string, readonly PreparedRule[]>;

const ruleIndexes = {
  skill: indexOf('text', 'command'),
  tool: indexOf('text', 'tool', 'command'),
  hidden: indexOf('text', 'hidden', 'command'),
  comment: indexOf('text', 'command'),
  program: indexOf('command'),
  block: indexOf('block'),
  tagged: indexOf('tagged'),
} as const satisfies Record<string, RuleIndex>;

/** A place that rules apply to. */
export type RulePlace = keyof typeof ruleIndexes;
/** All places. */
export const rulePlaces: readonly RulePlace[] = ['skill', 'tool', 'hidden', 'comment', 'program', 'block', 'tagged'];

/**
 * The rules of a place: sentences of a skill or a tool, of hidden text, of comments in code, and of lines of code; blocks
 * of code; pseudo-tags.
 */
export function rulesFor(place: RulePlace): RuleIndex {
  return ruleIndexes[place];
}

/** The symbols that any rule matches. All others can be left out of an index. */
export const knownSymbols: ReadonlySet<string> = new Set([
  ...sentenceRules.flatMap(({ unless = [] }) => unless),
  ...Object.values(ruleIndexes).flatMap((rules) =>
    [...rules.values()]
      .flat()
      .flatMap(({ pattern, excuses }) => [pattern, ...excuses].flatMap(({ steps }) => steps.flat())),
  ),
]);

/** The rules that match a line with regular expressions, each with one set of them. */
export const expressionRules = sentenceRules.flatMap((rule) =>
  (rule.expressions ?? []).map((set) => ({ rule, ...set })),
);

const hintsOf = (isWord: boolean) =>
  new RegExp(
    expressionRules
      .filter(({ inWords }) => (inWords !== undefined) === isWord)
      .map(({ hint, partHint = hint }) => partHint.source)
      .join('|'),
    'i',
  );

/** What a line contains that an expression matches, unless it contains a word that {@link wordHints} match. */
export const lineHints = hintsOf(false);
/** What a word contains for which an expression may match its line: one of the {@link hintParts}, or one of the {@link hintWords}. */
export const wordHints = hintsOf(true);
/** Parts of words for which an expression may match their line. */
export const hintParts: readonly string[] = expressionRules.flatMap(({ inWords }) => inWords?.parts ?? []);
/** Words for which an expression may match their line. */
export const hintWords: readonly string[] = expressionRules.flatMap(({ inWords }) => inWords?.words ?? []);

function indexOf(...scopes: readonly ScanRule['scope'][]): RuleIndex {
  const rules = new Map<string, PreparedRule[]>();
  for (const rule of sentenceRules.filter(({ scope }) => scopes.includes(scope))) {
    const excuses = (rule.excuses ?? []).map(compilePattern);
    for (const source of rule.patterns ?? []) {
      const prepared = { rule, pattern: compilePattern(source), excuses };
      for (const symbol of prepared.pattern.starts) rules.set(symbol, [...(rules.get(symbol) ?? []), prepared]);
    }
  }
  return rules;
}
