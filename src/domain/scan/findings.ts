/** The findings of a scan, each with its passage as evidence. */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { compareSeverity, type ScanFinding, scanLimits } from '../../shapes/scan.ts';
import { quotable } from '../../shapes/text.ts';
import type { ScanToken } from './pattern.ts';
import type { ScanRule } from './rules/rule.ts';

/** The text that a finding refers to: a part, the lines of the match, and the tokens to locate it in a long line. */
export interface Place {
  part: string;
  /** The lines of the part as written. */
  written: readonly string[];
  line: number;
  tokens?: readonly Pick<ScanToken, 'text' | 'line'>[];
}

/** Findings of one scan: each rule at most once per line and part, and a bounded number in total. */
export class Findings {
  readonly #byPlace = new Map<string, ScanFinding>();
  #additions = 0;

  /** Adds a finding. Its evidence is the passage at the place, or `decoded` if the text there is encoded. */
  add({ id, severity, why }: Pick<ScanRule, 'id' | 'severity' | 'why'>, place: Place, decoded?: string): void {
    this.#additions += 1;
    const { part, line } = place;
    const key = `${id} ${line} ${part}`;
    if (this.#byPlace.has(key) || this.#byPlace.size >= scanLimits.findingsMax * 4) return;
    const evidence = decoded === undefined ? passageAt(place) : quotable(decoded, scanLimits.evidenceLengthMax);
    this.#byPlace.set(key, { ruleId: id, severity, part, line, why, evidence });
  }

  /** How often something was found, also where it was known. */
  get additions(): number {
    return this.#additions;
  }

  /** The findings, worst first, at most `scanLimits.findingsMax`. */
  sorted(): ScanFinding[] {
    return [...this.#byPlace.values()]
      .sort((one, other) => compareSeverity(one.severity, other.severity))
      .slice(0, scanLimits.findingsMax);
  }
}

const passageLinesMax = 12;

/** The lines of the match as written, escaped. Of a longer passage, the part that begins shortly before the match. */
function passageAt({ written, line, tokens = [] }: Place): string {
  const lastLine = Math.min(Math.max(line, ...tokens.map((token) => token.line)), line + passageLinesMax - 1);
  const lines = written.slice(line - 1, lastLine).map((text) => text.trim());
  const passage = lines.join(' ⏎ ');
  const lengthMax = scanLimits.evidenceLengthMax;
  if (passage.length <= lengthMax) return quotable(passage, lengthMax);
  const start = Math.max(0, matchStart(passage.toLowerCase(), tokens) - lengthMax / 4);
  return quotable(`${start > 0 ? '…' : ''}${passage.slice(start, start + lengthMax)}`, lengthMax);
}

const startsMax = 100;

/** Where the tokens follow each other most closely in the passage; 0 if they do not. */
function matchStart(passage: string, tokens: readonly Pick<ScanToken, 'text'>[]): number {
  const first = tokens[0]?.text ?? '';
  let best = { start: 0, length: Number.POSITIVE_INFINITY };
  let start = first === '' ? -1 : passage.indexOf(first);
  for (let tries = 0; start !== -1 && tries < startsMax; tries += 1) {
    let end = start;
    for (const { text } of tokens) {
      const at = passage.indexOf(text, end);
      if (at !== -1) end = at + text.length;
    }
    if (end - start < best.length) best = { start, length: end - start };
    start = passage.indexOf(first, start + 1);
  }
  return best.start;
}

// Collections of skills have the same files many times: licences, scripts, templates.
const cleanTextsMax = 20_000;
const cleanTexts = new BoundedMap<string, true>(cleanTextsMax);

/** A text that may be known to have no findings, read in this format and under these options. */
export interface CleanText {
  isKnown(): boolean;
  remember(): void;
}

/** The text with this SHA-256. */
export function cleanTextOf(
  digest: string,
  format: string,
  { subject, installerHosts = [] }: { subject: string; installerHosts?: readonly string[] },
): CleanText {
  const key = [subject, format, ...installerHosts, digest].join(' ');
  return { isKnown: () => cleanTexts.has(key), remember: () => cleanTexts.set(key, true) };
}
