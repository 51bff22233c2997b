/** The name of a tool compared with the names of others: which look alike, and which imitate another. Pure. */
import type { ScanFinding } from '../../shapes/scan.ts';
import { quotable } from '../../shapes/text.ts';
import { imitationRules } from '../scan/rules/imitation.ts';
import type { ScanRule } from '../scan/rules/rule.ts';
import { isAscii, normalisedLine } from '../scan/text-normalisation.ts';

const letterOfDigit: Readonly<Record<string, string>> = { 0: 'o', 1: 'l', i: 'l', '|': 'l', 3: 'e', 5: 's' };

/** What a person reads of a name: equal for names that look alike (after the skeleton of Unicode TR 39, section 4). */
export function nameSkeleton(name: string): string {
  return normalisedLine(name)
    .toLowerCase()
    .replace(/[01i|35]/g, (character) => letterOfDigit[character] ?? character);
}

/** The skeleton without what separates words: equal for `search-tools` and `searchTools`. */
export function joinedSkeleton(name: string): string {
  return nameSkeleton(name).replace(/[^\p{L}\p{N}]+/gu, '');
}

/** What a name is compared with. */
export interface KnownNames {
  /** The joined skeletons of the hub's own tools. */
  hub: ReadonlySet<string>;
  /** The names of tools of other servers with this skeleton. */
  others: readonly string[];
  /** Whether the hub has seen the tool before. Of two names that differ in case only, the later one imitates. */
  isKnown: boolean;
}

/** The rules that a tool's name matches. */
export function nameFindings(name: string, { hub, others, isKnown }: KnownNames): ScanFinding[] {
  const skeleton = nameSkeleton(name);
  const found: Pick<ScanRule, 'id' | 'severity' | 'why'>[] = [];
  if (hub.has(joinedSkeleton(name))) found.push(imitationRules.hubTool);
  if (skeleton.startsWith(skillPrefix)) found.push(imitationRules.skillTool);
  if (others.some((other) => other !== name)) {
    if (!isAscii(name)) found.push(imitationRules.lookAlike);
    else if (!isKnown && others.some((other) => other !== name && isAscii(other))) found.push(imitationRules.otherCase);
  }
  const evidence = quotable(name, nameLengthMax);
  return found.map(({ id, severity, why }) => ({ ruleId: id, severity, part: 'name', line: 1, why, evidence }));
}

const skillPrefix = nameSkeleton('skill_');
const nameLengthMax = 128;
