/**
 * Signatures of the steps of patterns: the bits that lines must have for a pattern to match them.
 * Several steps share a bit, so that a test may only pass what the rules do not match, and never the reverse. Pure.
 */
import { bitOf, frequencyOf, placesOf, type StepNumbers, stepSymbols, stepsByRarest } from './rule-filter.ts';
import { type RulePlace, rulePlaces } from './rule-set.ts';

/** A set of bits, of which each number has 32. */
export interface Signature {
  low: number;
  high: number;
}

/** A word for which a rule may match a line. */
export interface ReachingWord {
  steps: StepNumbers;
  lastSteps: StepNumbers;
}

/** For which places of rules a line, or a part of it such as a comment, may matter. */
export interface LineReach extends Signature {
  /** One bit for each place, with that of expressions. */
  places: number;
  /** Of these, those for which nothing else is known of the line. */
  untested: number;
  /** The words for which it has the other places. */
  words: readonly ReachingWord[];
}

/** The reach of a line that matters for no place. */
export const noReach: LineReach = { places: 0, untested: 0, low: 0, high: 0, words: [] };
/** The reach of a line that was not tested. */
export const anyReach: LineReach = { places: -1, untested: -1, low: -1, high: -1, words: [] };

const bitsMax = 64;
// Steps that this many of 1,000 lines have are in most texts, and distinguish none.
const frequencyMax = 40;
const lowByStep: number[] = [];
const highByStep: number[] = [];

// The readers of lines pass over signs, which are words of their own.
const isSign = (symbol: string) => !/[\p{L}\p{N}]/u.test(symbol);

/** Gives each rarer step a bit, so that the bits are about equally frequent. */
function assignBits(): void {
  const load = new Float64Array(bitsMax);
  const steps = stepSymbols().map((symbols, step) => ({ step, symbols, frequency: frequencyOf(step) }));
  for (const { step, symbols, frequency } of steps.toSorted((one, other) => other.frequency - one.frequency)) {
    lowByStep[step] = 0;
    highByStep[step] = 0;
    if (frequency >= frequencyMax || symbols.some(isSign)) continue;
    const bit = load.indexOf(Math.min(...load));
    load[bit] = (load[bit] ?? 0) + frequency + 1;
    if (bit < 32) lowByStep[step] = 1 << bit;
    else highByStep[step] = 1 << (bit - 32);
  }
}
assignBits();

/** The bits of steps. */
export function signatureOf(steps: StepNumbers): Signature {
  let low = 0;
  let high = 0;
  for (const step of steps) {
    low |= lowByStep[step] ?? 0;
    high |= highByStep[step] ?? 0;
  }
  return { low, high };
}

/** For each place, the signatures of patterns by the rarest of their steps. */
const signaturesByPlace = new Map<RulePlace, (readonly Signature[] | undefined)[]>(
  rulePlaces.map((place) => [place, stepsByRarest(place).map((needs) => needs?.map(signatureOf))]),
);

/** Whether a rule of the place may match lines together; `context` is what the Markdown around them adds. */
export function linesMayMatch(
  place: RulePlace,
  lines: readonly { reach?: LineReach }[],
  context: LineReach = noReach,
): boolean {
  const bit = bitOf(place);
  let { low, high } = context;
  let places = context.places;
  for (const { reach = anyReach } of lines) {
    if ((reach.untested & bit) !== 0) return true;
    places |= reach.places;
    low |= reach.low;
    high |= reach.high;
  }
  if ((places & bit) === 0) return false;
  const signatures = signaturesByPlace.get(place) ?? [];
  const hasAll = (steps: StepNumbers) => steps.some((step) => isCovered(signatures[step], low, high));
  const mayMatch = ({ steps, lastSteps }: ReachingWord) => hasAll(steps) || hasAll(lastSteps);
  if (context.words.some(mayMatch)) return true;
  return lines.some(({ reach = anyReach }) => (reach.places & bit) !== 0 && reach.words.some(mayMatch));
}

function isCovered(signatures: readonly Signature[] | undefined, low: number, high: number): boolean {
  if (signatures === undefined) return false;
  for (const needed of signatures) if ((needed.low & ~low) === 0 && (needed.high & ~high) === 0) return true;
  return false;
}

/** What steps of the context of lines add to their reach. */
export function reachOfSteps(steps: StepNumbers): LineReach {
  const places = placesOf(steps);
  return { places, untested: 0, ...signatureOf(steps), words: [{ steps, lastSteps: [] }] };
}
