/**
 * A quick test whether a rule may match words: a pattern needs a symbol of each of its steps.
 * Most sentences fail it, and need not be indexed and matched.
 */
import { type RuleIndex, type RulePlace, rulePlaces, rulesFor } from './rule-set.ts';

/** The steps of patterns that a word is one of the symbols of, as numbers. */
export type StepNumbers = readonly number[];

const none: StepNumbers = [];
const numbersBySymbol = new Map<string, number[]>();
const numberBySymbols = new Map<string, number>();

// Symbols that are in most texts. A step without one of them is rarer, and is the better one to look for.
const frequentSymbols = new Set(
  [
    'a all an and are as at be by can do each every for from get has have in is it its must new no not',
    'now of on only open or post read run set should that the their this to tool use user via when will',
    'with you your ( ) [ ] < > : ; | && = . " @every @everyword @read @send @include @untrusted @anydata',
    '@order @duty @prior @instruction @negation @run @mention @person @tell @obey @url @host @reveal',
    '@download @secretvar os.environ process.env json.dumps payload @option',
  ].flatMap((line) => line.split(' ')),
);
const frequentSteps = new Set<number>();

/** The number of a step. Steps of the same symbols are one. */
function numberOf(symbols: readonly string[]): number {
  const key = [...new Set(symbols)].sort().join(' ');
  const known = numberBySymbols.get(key);
  if (known !== undefined) return known;
  const number = numberBySymbols.size;
  numberBySymbols.set(key, number);
  for (const symbol of new Set(symbols)) {
    const numbers = numbersBySymbol.get(symbol);
    if (numbers === undefined) numbersBySymbol.set(symbol, [number]);
    else numbers.push(number);
  }
  if (symbols.some((symbol) => frequentSymbols.has(symbol))) frequentSteps.add(number);
  return number;
}

/** What is needed of a sentence in one place. */
interface Needs {
  /** The patterns by the rarest of their steps, each as the steps that it needs. */
  byStep: (readonly StepNumbers[] | undefined)[];
  /** One bit, which a word has if one of its steps is in `byStep`. */
  bit: number;
}

const needsByPlace = new Map(rulePlaces.map((place, index) => [place, needsOf(rulesFor(place), 1 << index)]));

function needsOf(rules: RuleIndex, bit: number): Needs {
  const patterns = new Set([...rules.values()].flat().map(({ pattern }) => pattern));
  const needs = [...patterns].map(({ steps }) => [...new Set(steps.map(numberOf))]);
  const uses = new Map<number, number>();
  for (const number of needs.flat()) uses.set(number, (uses.get(number) ?? 0) + 1);
  // A step that few patterns have is likely to be rare in text, too.
  const rank = (number: number) => (uses.get(number) ?? 0) + (frequentSteps.has(number) ? needs.length : 0);
  const byStep: StepNumbers[][] = [];
  for (const need of needs) {
    const [rarest = 0] = need.toSorted((one, other) => rank(one) - rank(other));
    byStep[rarest] = [...(byStep[rarest] ?? []), need];
  }
  return { byStep, bit };
}

/** The symbols of all steps. One that ends in `$` means the last word of a sentence. */
export function symbolsOfSteps(): string[] {
  return [...numbersBySymbol.keys()];
}

/** The steps that have one of the symbols. */
export function stepsOf(symbols: readonly string[]): StepNumbers {
  let found = none;
  for (const symbol of symbols) {
    const numbers = numbersBySymbol.get(symbol);
    if (numbers !== undefined) found = found === none ? numbers : [...new Set([...found, ...numbers])];
  }
  return found;
}

const lastWords = new Set([...numbersBySymbol.keys()].filter((symbol) => symbol.endsWith('$')));

/** The steps that a word matches as the last one of its sentence. */
export function lastStepsOf(text: string): StepNumbers {
  const symbol = `${text}$`;
  return lastWords.has(symbol) ? stepsOf([symbol]) : none;
}

const placesByStep = new Int32Array(numberBySymbols.size);
for (const { byStep, bit } of needsByPlace.values()) {
  for (const step of byStep.keys())
    if (byStep[step] !== undefined) placesByStep[step] = (placesByStep[step] ?? 0) | bit;
}

/** One bit for each place that has a pattern whose rarest step is one of these. */
export function placesOf(steps: StepNumbers): number {
  let places = 0;
  for (const step of steps) places |= placesByStep[step] ?? 0;
  return places;
}

/** Whether the bit of a place is among those of words. */
export function isPlaceOf(places: number, place: RulePlace): boolean {
  return (places & (needsByPlace.get(place)?.bit ?? 0)) !== 0;
}

/** What the test reads of words. Words without steps may be left out. */
export interface FilteredWords {
  /** The steps that each word is a symbol of. */
  words: readonly { steps: StepNumbers }[];
  /** How many of the words are read. */
  count: number;
  /** The steps of the last word of the sentence as such. */
  lastSteps: StepNumbers;
  /** The {@link placesOf} all steps. */
  places: number;
}

// A step was seen in this round if its entry is the number of the round.
const seen = new Float64Array(numberBySymbols.size);
let round = 0;
const seenSteps: number[] = [];

/** Whether a rule of the place may match a sentence of these words; `extra` are steps that its context has. */
export function mayMatch(place: RulePlace, sentence: FilteredWords, extra: StepNumbers = none): boolean {
  const needs = needsByPlace.get(place);
  if (needs === undefined || ((sentence.places | placesOf(extra)) & needs.bit) === 0) return false;
  round += 1;
  seenSteps.length = 0;
  for (let at = 0; at < sentence.count; at += 1) see(sentence.words[at]?.steps ?? none);
  see(sentence.lastSteps);
  see(extra);
  for (const step of seenSteps) {
    for (const need of needs.byStep[step] ?? []) if (need.every(isSeen)) return true;
  }
  return false;
}

function isSeen(step: number): boolean {
  return seen[step] === round;
}

function see(numbers: StepNumbers): void {
  for (const step of numbers) {
    if (seen[step] === round) continue;
    seen[step] = round;
    seenSteps.push(step);
  }
}
