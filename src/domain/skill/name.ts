/** Checks skill names against the specification, and derives the registry name from the folder. Pure. */
import { hash } from 'node:crypto';
import { skillLimits } from '../../shapes/skill.ts';

const digestLength = 8;

/** The name in the Unicode form in which names are compared. File systems differ in the form that they return. */
export function normalisedName(name: string): string {
  return name.trim().normalize('NFKC');
}

/**
 * The name in the registry of a skill in a folder of this name. Characters other than letters, digits, `.`, `_` and `-`
 * become hyphens, and a name over the limit is cut and gets a digest. A name of symbols alone, such as an emoji, becomes
 * `skill-` and a digest. A name that needs no change is returned unchanged.
 * @returns undefined if nothing is left
 */
export function registryName(folderName: string): string | undefined {
  const name = normalisedName(folderName)
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|-+$/g, '');
  if (name === '') return beyondAscii.test(folderName) ? `skill-${digestOf(normalisedName(folderName))}` : undefined;
  if (!name.isWellFormed()) return undefined;
  const characters = [...name];
  if (characters.length <= skillLimits.nameLengthMax) return name;
  const kept = characters.slice(0, skillLimits.nameLengthMax - digestLength - 1).join('');
  return `${kept}-${digestOf(name)}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches what is not ASCII
const beyondAscii = /[^\u0000-\u007f]/;

function digestOf(name: string): string {
  return hash('sha256', name, 'hex').slice(0, digestLength);
}

/** The rules of the specification that a name breaks, one message each. */
export function nameViolations(name: string): string[] {
  const violations: string[] = [];
  const length = [...name].length;
  if (length > skillLimits.nameLengthMax) {
    violations.push(`of ${length} characters, at most ${skillLimits.nameLengthMax} are allowed`);
  }
  if (name !== name.toLowerCase()) violations.push('must be lowercase');
  if (!/^[\p{L}\p{N}-]+$/u.test(name)) violations.push('only letters, digits and hyphens are allowed');
  if (name.startsWith('-') || name.endsWith('-')) violations.push('must not begin or end with a hyphen');
  if (name.includes('--')) violations.push('must not hold two hyphens in a row');
  return violations;
}
