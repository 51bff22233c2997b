/** All rules of the scan, prepared once: patterns compiled and found by the symbol they begin with. */
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

/** Every rule by its id, for tables and documentation. */
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
} as const satisfies Record<ScanRule['in'], unknown>;

/** The rules of a scope, by the symbols one of which a sentence must have. */
export function rulesFor(scope: ScanRule['in']): ReadonlyMap<string, readonly PreparedRule[]> {
  return byScope[scope];
}

/** The rules that read a line by an expression. */
export const expressionRules = sentenceRules.flatMap((rule) =>
  (rule.expressions ?? []).map((expression) => ({ rule, expression })),
);

function bySymbol(scope: ScanRule['in']): Map<string, PreparedRule[]> {
  const found = new Map<string, PreparedRule[]>();
  for (const rule of sentenceRules.filter(({ in: where }) => where === scope)) {
    for (const source of rule.patterns ?? []) {
      const prepared = { rule, pattern: compilePattern(source) };
      for (const symbol of prepared.pattern.starts) found.set(symbol, [...(found.get(symbol) ?? []), prepared]);
    }
  }
  return found;
}
