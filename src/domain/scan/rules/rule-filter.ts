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

// How many of 1,000 lines of skills have a symbol, roughly, measured on public skills. Any other is in fewer than one of 2,000.
const frequencies: readonly (readonly [number, string])[] = [
  [30, '( / : < > @anydata @assess @duty @everyword @instruction @obey @order @person @prior @read @reveal @run'],
  [30, '@send @shell @url [ ] a and as can data from if in is it not of on that the this to use with you |'],
  [6, '@destroy @download @forward @guard @harmless @include @limit @outside @privatedata @reviewer @secretdata'],
  [6, '@secretvar access add after all an any are at bash be before by check code content context create'],
  [6, 'default do each file files first function get have install list memory must need new no number other'],
  [6, 'output per print result results run set should skill step text training true type update url user using'],
  [6, 'what when will without your'],
  [2, '&& @disable @fetcher @host @ignore @script @upload about above action agent ai always apply ask'],
  [2, 'attention automatically avoid call chat claude clear command complete contents details dict directly'],
  [2, 'dont echo email enable enabled environment every existing export field filter find follow following full'],
  [2, 'has important include information instead instructions into its keep like llm load log make may message'],
  [2, 'messages method mode never now null open optional over own parameter pass please point policy post'],
  [2, 'prompt provide purpose raw read real request requires response role root rules running save script'],
  [2, 'scripts security server service session show skip source system task than them these tokens tool tools'],
  [2, 'updated used users via was were write'],
  [1, '-o >> account actual address admin agents alert answer assistant aws background backup behavior cannot'],
  [1, 'checks commands comments commit company compliance constraints copy credentials curl delete disk'],
  [1, 'download endpoint env exact execute external extract fetch filters findings forward free goal guidelines'],
  [1, 'higher history human initial invalid items location logs longer maximum off option original package'],
  [1, 'password payment policies port priority private prompts protocols reads record replace requests send'],
  [1, 'share stop store take upload valid variables verification void webhook words youre zero'],
];
const frequencyBySymbol = new Map(
  frequencies.flatMap(([frequency, symbols]) => symbols.split(' ').map((symbol) => [symbol, frequency] as const)),
);
const frequencyByStep: number[] = [];

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
  frequencyByStep[number] = symbols.reduce((sum, symbol) => sum + (frequencyBySymbol.get(symbol) ?? 0), 0);
  return number;
}

/** What is needed of a sentence in one place. */
interface Needs {
  /** The patterns by the rarest of their steps, each as the steps that it needs. */
  byStep: (readonly StepNumbers[] | undefined)[];
  /** One bit, which a word has if one of its steps is in `byStep`. */
  bit: number;
}

const needsByPlace = new Map(rulePlaces.map((place) => [place, needsOf(rulesFor(place), bitOf(place))]));

function needsOf(rules: RuleIndex, bit: number): Needs {
  const patterns = new Set([...rules.values()].flat().map(({ pattern }) => pattern));
  const needs = [...patterns].map(({ steps }) => [...new Set(steps.map(numberOf))]);
  const uses = new Map<number, number>();
  for (const number of needs.flat()) uses.set(number, (uses.get(number) ?? 0) + 1);
  // Of steps that are equally rare, the one that more patterns have lets fewer words through.
  const rank = (number: number) => (frequencyByStep[number] ?? 0) - (uses.get(number) ?? 0) / needs.length;
  const byStep: StepNumbers[][] = [];
  for (const need of needs) {
    const [rarest = 0] = need.toSorted((one, other) => rank(one) - rank(other));
    byStep[rarest] = [...(byStep[rarest] ?? []), need];
  }
  return { byStep, bit };
}

/** How many of 1,000 lines of skills have a symbol of a step, roughly. */
export function frequencyOf(step: number): number {
  return frequencyByStep[step] ?? 0;
}

/** The symbols of each step. */
export function stepSymbols(): string[][] {
  return [...numberBySymbols.keys()].map((key) => key.split(' '));
}

/** For each step that is the rarest of patterns of the place, these patterns, each as the steps that it needs. */
export function stepsByRarest(place: RulePlace): readonly (readonly StepNumbers[] | undefined)[] {
  return needsByPlace.get(place)?.byStep ?? [];
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

/** The bit of a place among those of words. */
export function bitOf(place: RulePlace): number {
  return 1 << rulePlaces.indexOf(place);
}

/** The bit of words and lines for which an expression may match. */
export const expressionBit = 1 << rulePlaces.length;

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
