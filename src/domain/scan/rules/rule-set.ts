/** All scan rules, with their patterns compiled once and indexed by the symbols they start with. */
import { compilePattern, type Pattern } from '../pattern.ts';
import { executionRules } from './execution.ts';
import { exfiltrationRules } from './exfiltration.ts';
import { hiddenRules } from './hidden.ts';
import { overrideRules } from './override.ts';
import type { ScanRule } from './rule.ts';
import { secrecyRules } from './secrecy.ts';

/** A rule with one of its patterns. */
export interface PreparedRule {
  rule: ScanRule;
  pattern: Pattern;
}

const sentenceRules: readonly ScanRule[] = [...overrideRules, ...secrecyRules, ...exfiltrationRules, ...executionRules];

/** All rules sorted by id, for documentation. */
export const allRules: readonly Pick<ScanRule, 'id' | 'severity' | 'why'>[] = [
  ...Object.values(hiddenRules),
  ...sentenceRules,
].toSorted((one, other) => (one.id < other.id ? -1 : 1));

const byScope = {
  text: bySymbol('text'),
  command: bySymbol('command'),
  block: bySymbol('block'),
  tool: bySymbol('tool'),
  hidden: bySymbol('hidden'),
  tagged: bySymbol('tagged'),
} as const satisfies Record<ScanRule['scope'], unknown>;

/** The rules of a scope, by start symbol. Only the rules of symbols that a sentence contains can match it. */
export function rulesFor(scope: ScanRule['scope']): ReadonlyMap<string, readonly PreparedRule[]> {
  return byScope[scope];
}

/** The rules that match a line with a regular expression. */
export const expressionRules = sentenceRules.flatMap((rule) =>
  (rule.expressions ?? []).map((expression) => ({ rule, expression })),
);

function bySymbol(scope: ScanRule['scope']): Map<string, PreparedRule[]> {
  const rules = new Map<string, PreparedRule[]>();
  for (const rule of sentenceRules.filter((candidate) => candidate.scope === scope)) {
    for (const source of rule.patterns ?? []) {
      const prepared = { rule, pattern: compilePattern(source) };
      for (const symbol of prepared.pattern.starts) rules.set(symbol, [...(rules.get(symbol) ?? []), prepared]);
    }
  }
  return rules;
}
