/**
 * A quick test whether a plain word, of Latin letters and digits, may mean something to a rule. Most do not, and need no
 * classification. It never rejects a word that does: `word-cache` decides on the others.
 */
import { symbolsOfSteps } from '../rules/rule-filter.ts';
import { hintParts, hintWords } from '../rules/rule-set.ts';
import { rarestPart } from './rarest-part.ts';
import { classesByWord } from './vocabulary.ts';

/** Words that are after certain others the name of a secret: the first words of each second word. */
export const secretPhrases: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    key: ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'],
    keys: ['api', 'private', 'ssh', 'access', 'secret', 'encryption', 'signing'],
    variables: ['environment'],
    vars: ['env'],
    phrase: ['seed', 'recovery'],
    prompt: ['system'],
  }),
);

const hashesMax = 65_536;
const knownHashes = new Uint8Array(hashesMax);
const partLength = 5;
/** Letters that are frequent in English. */
const frequentLetters: ReadonlySet<string> = new Set('etaoinsr');
const partsMax = 16_384;
const knownParts = new Uint8Array(partsMax);

/** The hash of a word after one more character. It begins with 0. */
export function extendedHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

/** A number for the last five characters, after one more. It begins with 0. */
export function extendedPart(part: number, code: number): number {
  return ((part << 6) ^ code) & 0x3fff_ffff;
}

/** Whether a plain word with this hash may be one that rules know. */
export function mayBeKnown(hash: number): boolean {
  return knownHashes[(hash ^ (hash >>> 16)) & (hashesMax - 1)] === 1;
}

/** Whether a plain word with these five characters may be one for which an expression may match its line. */
export function mayBeHint(part: number): boolean {
  return knownParts[(part ^ (part >>> 15)) & (partsMax - 1)] === 1;
}

// Substrings for which `classesOf` looks further than the list of words.
const classifiedParts = ['apikey', 'crontab', 'launch', 'schtasks'];

for (const word of [...classesByWord.keys(), ...symbolsOfSteps(), ...hintWords, ...secretPhrases.keys()]) {
  let hash = 0;
  for (const character of word.replace(/\$$/, '')) hash = extendedHash(hash, character.charCodeAt(0));
  knownHashes[(hash ^ (hash >>> 16)) & (hashesMax - 1)] = 1;
}
for (const text of [...hintParts, ...classifiedParts]) {
  let part = 0;
  for (const character of rarestPart(text, { length: partLength, frequent: frequentLetters }))
    part = extendedPart(part, character.charCodeAt(0));
  knownParts[(part ^ (part >>> 15)) & (partsMax - 1)] = 1;
}
