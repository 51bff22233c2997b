/**
 * Splits a line into words, URLs, paths, variables and signs, without making a string of each.
 * One pass. Lines with characters beyond the basic plane are split by an equivalent expression. Pure.
 */
import { continues, flagsOf, follows, inUrl, isPlain, isSign, isSpace, prefix, starts } from './characters.ts';
import { extendedHash, extendedPart, mayBeHint, mayBeKnown } from './notable-words.ts';
import { mayBeKnownOdd } from './odd-words.ts';

// A word has at most about 200 characters and a URL 300. The rest becomes a further word. Full stops and marks of
// Chinese and Japanese end a word of these scripts, which write no spaces.
const url = /[a-z][a-z0-9+.-]{1,11}:\/\/(?:[^\s<>"'`\\.,;!?)]|[.,;!?)](?=[^\s<>"'`\\.,;!?)])){1,300}/.source;
const sign = /&&|\|\||>>|[|;(){}<>=&#[\]!?:"“”«»`。！？]|[~/](?=[\s"'`]|$)|[.,](?=\s|$)/.source;
const word = /[~$%@./-]{0,3}[\p{L}\p{N}_](?:[\p{L}\p{N}\p{M}_'/~$@+-]|[.:](?=[\p{L}\p{N}/_~-])){0,200}/u.source;
/** What a word is, as an expression. {@link LineWords} finds the same words in less time. */
export const wordExpression = new RegExp(`${url}|${word}|${sign}`, 'gu');

const surrogate = /[\ud800-\udfff]/;
const schemeLengthMax = 12;
const urlLengthMax = 300;
/** Signs before a word that are a part of it. */
export const prefixLengthMax = 3;
/** UTF-16 units of a word after its first. */
export const wordLengthMax = 200;

/** A reader of the words of one line after another. */
export class LineWords {
  /** The place of the word that `next` found, and a hash of its characters. */
  start = 0;
  end = 0;
  hash = 0;
  /** Whether a rule may know the word, or it divides sentences. A word of which this is false means nothing to any rule. */
  mayBeNotable = true;
  /** The line. */
  text = '';
  /** Where the next `://` is; infinite if there is none. */
  #schemeEnd = 0;
  #matches: RegExpExecArray[] | undefined;

  /** Begins a line, which is in lower case. */
  read(text: string): void {
    this.text = text;
    this.end = 0;
    this.#schemeEnd = -1;
    this.#matches = surrogate.test(text) ? [...text.matchAll(wordExpression)].reverse() : undefined;
  }

  /** Goes to the next word. Returns whether there is one. */
  next(): boolean {
    if (this.#matches !== undefined) return this.#nextMatch(this.#matches);
    const text = this.text;
    for (let at = this.end; at < text.length; at += 1) {
      const flags = flagsOf(text.charCodeAt(at));
      if ((flags & (starts | prefix | isSign)) === 0 && text.charCodeAt(at) !== comma) continue;
      this.start = at;
      if (this.#schemeEnd < at) this.#schemeEnd = placeOf('://', text, at);
      if (this.#schemeEnd <= at + schemeLengthMax && this.#readUrl(at)) return true;
      if ((flags & (starts | prefix)) !== 0 && this.#readWord(at)) return true;
      if (this.#readSign(at, flags)) return true;
    }
    return false;
  }

  #nextMatch(matches: RegExpExecArray[]): boolean {
    const match = matches.pop();
    if (match === undefined) return false;
    this.start = match.index;
    return this.#endAt(match.index + match[0].length);
  }

  #endAt(end: number): boolean {
    let hash = 0;
    for (let at = this.start; at < end; at += 1) hash = extendedHash(hash, this.text.charCodeAt(at));
    this.end = end;
    this.hash = hash;
    this.mayBeNotable = true;
    return true;
  }

  #readUrl(start: number): boolean {
    const text = this.text;
    const colon = this.#schemeEnd;
    if (!/^[a-z][a-z0-9+.-]{1,11}$/.test(text.slice(start, colon))) return false;
    let at = colon + 3;
    for (; at < text.length && at < colon + 3 + urlLengthMax; at += 1) {
      const code = text.charCodeAt(at);
      if ((flagsOf(code) & inUrl) !== 0) continue;
      const isMark = urlMarks.has(code) && at + 1 < text.length && (flagsOf(text.charCodeAt(at + 1)) & inUrl) !== 0;
      if (!isMark) break;
    }
    return at > colon + 3 && this.#endAt(at);
  }

  #readWord(start: number): boolean {
    const text = this.text;
    const { length } = text;
    let at = start;
    while (at < start + prefixLengthMax && at < length && (flagsOf(text.charCodeAt(at)) & prefix) !== 0) at += 1;
    if (at >= length || (flagsOf(text.charCodeAt(at)) & starts) === 0) return false;
    const endMax = Math.min(length, at + 1 + wordLengthMax);
    let hash = 0;
    for (let before = start; before < at; before += 1) hash = extendedHash(hash, text.charCodeAt(before));
    let all = at === start ? isPlain : 0;
    let part = 0;
    let isHint = false;
    const first = at;
    for (; at < endMax; at += 1) {
      const code = text.charCodeAt(at);
      const flags = flagsOf(code);
      const isPart =
        at === first ||
        (flags & continues) !== 0 ||
        ((code === fullStop || code === colonSign) &&
          at + 1 < length &&
          (flagsOf(text.charCodeAt(at + 1)) & follows) !== 0);
      if (!isPart) break;
      all &= flags;
      hash = extendedHash(hash, code);
      part = extendedPart(part, code);
      isHint ||= mayBeHint(part);
    }
    this.end = at;
    this.hash = hash;
    this.mayBeNotable = isHint || (all === 0 ? mayBeKnownOdd(text, start, first, at) : mayBeKnown(hash));
    return true;
  }

  #readSign(start: number, flags: number): boolean {
    const text = this.text;
    const code = text.charCodeAt(start);
    const after = start + 1 < text.length ? text.charCodeAt(start + 1) : undefined;
    if ((flags & isSign) !== 0) return this.#endAt(after === code && doubled.has(code) ? start + 2 : start + 1);
    const isBeforeSpace = after === undefined || (flagsOf(after) & isSpace) !== 0;
    if (code === fullStop || code === comma) return isBeforeSpace && this.#endAt(start + 1);
    if (code !== tilde && code !== slash) return false;
    return (isBeforeSpace || quotes.has(after)) && this.#endAt(start + 1);
  }
}

function placeOf(sought: string, text: string, from: number): number {
  const place = text.indexOf(sought, from);
  return place === -1 ? Number.POSITIVE_INFINITY : place;
}

const codesOf = (characters: string) => new Set<number | undefined>([...characters].map((one) => one.charCodeAt(0)));
const urlMarks = codesOf('.,;!?)');
const doubled = codesOf('&|>');
const quotes = codesOf('"\'`');
const [fullStop, comma, colonSign, tilde, slash] = [46, 44, 58, 126, 47];
