/**
 * Patterns over tokens, written as text: `@ignore ..5 @prior ..4 @instruction`. A name is a word or a `@class`, `a|b` is
 * either, `..N` lets at most N tokens lie between; `a & b & c <40` asks for all within 40 tokens, in any order.
 * Matching keeps sets of positions, never a stack of choices: its cost is bounded by tokens times gaps.
 */
import type { ScanToken } from './tokens.ts';

/** Where a pattern holds: the first and the last token of the match. */
export interface PatternMatch {
  first: number;
  last: number;
}

/** A compiled pattern. `starts` are the symbols one of which must be in a sentence for it to hold there. */
export interface Pattern {
  starts: readonly string[];
  /** Every place it holds at; at most one for each token. */
  find(index: SentenceIndex): PatternMatch[];
}

/** A sentence with the places of each symbol. */
export interface SentenceIndex {
  tokens: readonly ScanToken[];
  places: ReadonlyMap<string, readonly number[]>;
}

/** Indexes a sentence. */
export function indexSentence(tokens: readonly ScanToken[]): SentenceIndex {
  const places = new Map<string, number[]>();
  tokens.forEach(({ symbols }, position) => {
    for (const symbol of symbols) {
      const found = places.get(symbol);
      if (found === undefined) places.set(symbol, [position]);
      else if (found.at(-1) !== position) found.push(position);
    }
  });
  return { tokens, places };
}

/** Compiles a pattern. @throws Error for one that is badly written, which is a mistake of ours */
export function compilePattern(source: string): Pattern {
  return source.includes(' & ') ? compileTogether(source) : compileSequence(source);
}

interface Step {
  gap: number;
  symbols: readonly string[];
}

function compileSequence(source: string): Pattern {
  const steps: Step[] = [];
  let gap = 0;
  for (const part of source.split(' ')) {
    const written = /^\.\.(\d+)$/.exec(part);
    if (written === null) steps.push({ gap, symbols: part === '|' ? ['|'] : part.split('|') });
    gap = written === null ? 0 : Number(written[1]);
  }
  const [start, ...further] = steps;
  if (start === undefined) throw new Error(`an empty pattern: ${source}`);
  return {
    starts: start.symbols,
    find: (index) => {
      if (!further.every(({ symbols }) => symbols.some((symbol) => index.places.has(symbol)))) return [];
      // Each end is kept with the latest start that leads to it.
      let ends = new Map(placesOf(index, start.symbols).map((place) => [place, place]));
      for (const { gap: allowed, symbols } of further) {
        const next = new Map<number, number>();
        for (const place of placesOf(index, symbols)) {
          for (let before = place - 1; before >= place - 1 - allowed; before -= 1) {
            const from = ends.get(before);
            if (from === undefined) continue;
            next.set(place, from);
            break;
          }
        }
        if (next.size === 0) return [];
        ends = next;
      }
      return [...ends].map(([last, first]) => ({ first, last }));
    },
  };
}

function compileTogether(source: string): Pattern {
  const written = /^(.*) <(\d+)$/.exec(source);
  if (written === null) throw new Error(`a pattern without a width: ${source}`);
  const groups = (written[1] ?? '').split(' & ').map((group) => group.split('|'));
  const width = Number(written[2]);
  return {
    starts: groups[0] ?? [],
    find: (index) => {
      if (!groups.every((symbols) => symbols.some((symbol) => index.places.has(symbol)))) return [];
      const marks = groups.flatMap((symbols, group) => placesOf(index, symbols).map((place) => ({ place, group })));
      marks.sort((one, other) => one.place - other.place);
      const latest = new Map<number, number>();
      const matches: PatternMatch[] = [];
      for (const { place, group } of marks) {
        latest.set(group, place);
        const first = Math.min(...latest.values());
        if (new Set(latest.values()).size === groups.length && place - first < width)
          matches.push({ first, last: place });
      }
      return matches;
    },
  };
}

function placesOf({ places }: SentenceIndex, symbols: readonly string[]): readonly number[] {
  const [only] = symbols;
  if (symbols.length === 1 && only !== undefined) return places.get(only) ?? [];
  const all = new Set(symbols.flatMap((symbol) => places.get(symbol) ?? []));
  return [...all].sort((one, other) => one - other);
}
