/**
 * The pattern language of scan rules, matched over tokens.
 * In `@ignore ..5 @prior ..4 @instruction`, a symbol is a word or a `@class`, and `..N` allows at most N tokens in
 * between. `a|b` matches either, and `a & b & c <40` requires all of them within 40 tokens, in any order.
 * Matching does not backtrack: its cost is at most the number of tokens times the gap.
 */

/** One word, URL, path, variable or operator, in lower case. */
export interface ScanToken {
  text: string;
  /** What a pattern can match: the text and its `@class`es. */
  symbols: readonly string[];
  line: number;
  /** Whether the token is inside quotation marks or backticks. */
  quoted: boolean;
}

/** A match: the positions of its first and last token in the sentence. */
export interface PatternMatch {
  first: number;
  last: number;
}

/** A compiled pattern. A sentence can match only if it contains one of the `starts` symbols. */
export interface Pattern {
  starts: readonly string[];
  /** The symbols of each step. A sentence can match only if it contains one of each. */
  steps: readonly (readonly string[])[];
  /** All matches in the sentence, at most one for each last token. */
  find(index: SentenceIndex): PatternMatch[];
}

/** A sentence with the positions of each symbol, in ascending order. */
export interface SentenceIndex {
  tokens: readonly ScanToken[];
  places: ReadonlyMap<string, readonly number[]>;
}

/** Indexes a sentence, by all of its symbols or only by the known ones. Its last word also has a symbol that ends in `$`. */
export function indexSentence(tokens: readonly ScanToken[], known?: ReadonlySet<string>): SentenceIndex {
  const places = new Map<string, number[]>();
  for (let position = 0; position < tokens.length; position += 1) {
    for (const symbol of tokens[position]?.symbols ?? []) {
      if (known === undefined || known.has(symbol)) addPlace(places, symbol, position);
    }
  }
  const end = `${tokens.at(-1)?.text ?? ''}$`;
  if (known === undefined || known.has(end)) addPlace(places, end, tokens.length - 1);
  return { tokens, places };
}

function addPlace(places: Map<string, number[]>, symbol: string, position: number): void {
  const found = places.get(symbol);
  if (found === undefined) places.set(symbol, [position]);
  else if (found.at(-1) !== position) found.push(position);
}

/** Compiles a pattern. @throws Error for a malformed pattern, which is a defect of the rule */
export function compilePattern(source: string): Pattern {
  return source.includes(' & ') ? compileProximity(source) : compileSequence(source);
}

interface Step {
  gap: number;
  symbols: readonly string[];
}

function compileSequence(source: string): Pattern {
  const steps: Step[] = [];
  let gap = 0;
  for (const part of source.split(' ')) {
    const gapMark = /^\.\.(\d+)$/.exec(part);
    if (gapMark === null) steps.push({ gap, symbols: part === '|' ? ['|'] : part.split('|') });
    gap = gapMark === null ? 0 : Number(gapMark[1]);
  }
  const [start, ...further] = steps;
  if (start === undefined) throw new Error(`an empty pattern: ${source}`);
  return {
    starts: start.symbols,
    steps: steps.map(({ symbols }) => symbols),
    find: (index) => {
      if (!further.every(({ symbols }) => symbols.some((symbol) => index.places.has(symbol)))) return [];
      // Maps the last position of each partial match to the latest first position that leads to it.
      let firstByLast = new Map(placesOf(index, start.symbols).map((place) => [place, place]));
      for (const { gap: gapMax, symbols } of further) {
        const extended = new Map<number, number>();
        for (const place of placesOf(index, symbols)) {
          for (let before = place - 1; before >= place - 1 - gapMax; before -= 1) {
            const first = firstByLast.get(before);
            if (first === undefined) continue;
            extended.set(place, first);
            break;
          }
        }
        if (extended.size === 0) return [];
        firstByLast = extended;
      }
      return [...firstByLast].map(([last, first]) => ({ first, last }));
    },
  };
}

function compileProximity(source: string): Pattern {
  const parsed = /^(.*) <(\d+)$/.exec(source);
  if (parsed === null) throw new Error(`a pattern without a width: ${source}`);
  const groups = (parsed[1] ?? '').split(' & ').map((group) => group.split('|'));
  const width = Number(parsed[2]);
  return {
    starts: groups[0] ?? [],
    steps: groups,
    find: (index) => {
      if (!groups.every((symbols) => symbols.some((symbol) => index.places.has(symbol)))) return [];
      const marks = groups.flatMap((symbols, group) => placesOf(index, symbols).map((place) => ({ place, group })));
      marks.sort((one, other) => one.place - other.place);
      const latestByGroup = new Map<number, number>();
      const matches: PatternMatch[] = [];
      for (const { place, group } of marks) {
        latestByGroup.set(group, place);
        const first = Math.min(...latestByGroup.values());
        if (new Set(latestByGroup.values()).size === groups.length && place - first < width)
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
