/**
 * Detection of hidden text: invisible characters, bidirectional controls, look-alikes and encodings.
 * Works on one line before normalisation. Pure.
 */

import { hiddenRules } from './rules/hidden.ts';
import type { ScanRule } from './rules/rule.ts';
import { isAscii, mixesScripts } from './text-normalisation.ts';

/** A rule that matches on the characters of a line. */
export type CharacterRule = Pick<ScanRule, 'id' | 'severity' | 'why'>;

const tag = /[\u{e0001}\u{e0020}-\u{e007f}]/u;
// Flags of regions: a black flag, tags, a cancel tag (Unicode TR 51).
const flagSequence = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}/gu;
const bidi = /[\u202a-\u202e\u2066-\u2069]/;
const rightToLeft = /[\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}]/u;
// Inside a word of Latin letters, or several in a row, which no script needs.
const invisibleInWord =
  /[A-Za-z][\u00ad\u200b-\u200d\u2060-\u2064\ufeff\u180e]{1,8}[A-Za-z]|[\u200b\u2060-\u2064\ufeff]{2}|[\u200b-\u200d\u2060-\u2064]{4}/;
const variations = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2}/u;

// Eight plain letters or spaces in a row, each written as an escape.
const escapedLetters =
  /(?:\\x(?:[46][1-9a-f]|[57][0-9a]|20)){8}|(?:\\u00(?:[46][1-9a-f]|[57][0-9a]|20)){8}|(?:&#(?:x(?:[46][1-9a-f]|[57][0-9a]|20)|6[5-9]|[78]\d|9[07-9]|1[01]\d|12[0-2]|32);){8}/i;

const none: readonly CharacterRule[] = [];

/** The character rules that a line matches before normalisation. `isPlain`: the line is in ASCII. */
export function characterRules(line: string, isPlain = isAscii(line)): readonly CharacterRule[] {
  const mayHoldEscapes = line.includes('\\') || line.includes('&#');
  if (isPlain && !mayHoldEscapes) return none;
  const found: CharacterRule[] = mayHoldEscapes && escapedLetters.test(line) ? [hiddenRules.escapedLetters] : [];
  if (isPlain) return found;
  if (tag.test(line) && tag.test(line.replace(flagSequence, ''))) found.push(hiddenRules.tags);
  if (bidi.test(line))
    found.push(rightToLeft.test(line) ? { ...hiddenRules.bidi, severity: 'medium' } : hiddenRules.bidi);
  if (invisibleInWord.test(line)) found.push(hiddenRules.invisible);
  if (variations.test(line)) found.push(hiddenRules.variation);
  if (mixesScripts(line)) found.push(hiddenRules.mixedScript);
  return found;
}
