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
  return number;
}

/** The patterns of each place by one of their steps, each as the steps that it needs. */
const needsByPlace = new Map(rulePlaces.map((place) => [place, needsOf(rulesFor(place))]));

function needsOf(rules: RuleIndex): (readonly StepNumbers[] | undefined)[] {
  const patterns = new Set([...rules.values()].flat().map(({ pattern }) => pattern));
  const needs = [...patterns].map(({ steps }) => [...new Set(steps.map(numberOf))]);
  const uses = new Map<number, number>();
  for (const number of needs.flat()) uses.set(number, (uses.get(number) ?? 0) + 1);
  const byStep: StepNumbers[][] = [];
  for (const need of needs) {
    // A step that few patterns have is likely to be rare in text, too.
    const [rarest = 0] = need.toSorted((one, other) => (uses.get(one) ?? 0) - (uses.get(other) ?? 0));
    byStep[rarest] = [...(byStep[rarest] ?? []), need];
  }
  return byStep;
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

/** What the test reads of a word: the steps that it is a symbol of, anywhere and as the last word of a sentence. */
export interface FilteredWord {
  steps: StepNumbers;
  lastSteps: StepNumbers;
}

// A step was seen in this round if its entry is the number of the round.
const seen = new Float64Array(numberBySymbols.size);
let round = 0;
const steps: number[] = [];

/** Whether a rule of the place may match a sentence of these words; `extra` are steps that its context has. */
export function mayMatch(place: RulePlace, words: readonly FilteredWord[], extra: StepNumbers = none): boolean {
  round += 1;
  steps.length = 0;
  for (const word of words) if (word.steps.length > 0) see(word.steps);
  see(words.at(-1)?.lastSteps ?? none);
  see(extra);
  const needs = needsByPlace.get(place) ?? [];
  for (const step of steps) {
    for (const need of needs[step] ?? []) if (need.every(isSeen)) return true;
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
    steps.push(step);
  }
}
