/** The terms of a dictionary by length, to find those that a typing error turns into another word. */

/** A set of terms. */
export interface SimilarTerms {
  /** Adds a term that is not in the set. */
  add(term: string): void;
  remove(term: string): void;
  /** Terms at most `editsMax` insertions, deletions or replacements from `term`, in no order. */
  near(term: string, editsMax: number): string[];
}

/** Terms of one length. */
interface Bucket {
  terms: string[];
  /** The letters of each term as a bit set, for a quick lower bound of the edit distance. */
  letters: number[];
  places: Map<string, number>;
}

/** Creates an empty set. */
export function createSimilarTerms(): SimilarTerms {
  const buckets = new Map<number, Bucket>();
  return {
    add: (term) => {
      const bucket: Bucket = buckets.get(term.length) ?? { terms: [], letters: [], places: new Map() };
      buckets.set(term.length, bucket);
      bucket.places.set(term, bucket.terms.length);
      bucket.terms.push(term);
      bucket.letters.push(letterBits(term));
    },
    remove: (term) => {
      const bucket = buckets.get(term.length);
      if (bucket !== undefined) removeFrom(bucket, term);
    },
    near: (term, editsMax) => {
      const letters = letterBits(term);
      const found: string[] = [];
      for (let length = term.length - editsMax; length <= term.length + editsMax; length += 1) {
        const bucket = buckets.get(length);
        for (let at = 0; bucket !== undefined && at < bucket.terms.length; at += 1) {
          // One edit changes at most two bits.
          if (bitsCount((bucket.letters[at] ?? 0) ^ letters) > 2 * editsMax) continue;
          const other = bucket.terms[at] ?? '';
          if (isWithin(term, other, editsMax)) found.push(other);
        }
      }
      return found;
    },
  };
}

/** Removes a term. The last one takes its place. */
function removeFrom({ terms, letters, places }: Bucket, term: string): void {
  const place = places.get(term);
  const last = terms.pop();
  const lastLetters = letters.pop();
  if (place === undefined || last === undefined || lastLetters === undefined) return;
  places.delete(term);
  if (last === term) return;
  terms[place] = last;
  letters[place] = lastLetters;
  places.set(last, place);
}

function letterBits(term: string): number {
  let bits = 0;
  for (let at = 0; at < term.length; at += 1) bits |= 1 << (term.charCodeAt(at) & 31);
  return bits;
}

/** The number of bits that are set in 32: Warren, Hacker's Delight, section 5-1. */
function bitsCount(bits: number): number {
  const pairs = (bits - ((bits >>> 1) & 0x55555555)) | 0;
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Whether the edit distance of Wagner and Fischer (Journal of the ACM 21 (1), 1974) is at most `editsMax`. Computes only the
 * cells at most that far from the diagonal (Ukkonen, Information and Control 64, 1985), and stops once a row exceeds the bound.
 */
export function isWithin(one: string, other: string, editsMax: number): boolean {
  if (Math.abs(one.length - other.length) > editsMax) return false;
  const beyond = editsMax + 1;
  // `row[at]` is the distance between the first `from` characters of `one` and the first `from + at - editsMax` of `other`.
  let row = Array.from({ length: 2 * editsMax + 1 }, (_, at) => (at < editsMax ? beyond : at - editsMax));
  let next = row.slice();
  for (let from = 1; from <= one.length; from += 1) {
    let least = beyond;
    for (let at = 0; at < row.length; at += 1) {
      const to = from + at - editsMax;
      let distance = to === 0 ? from : beyond;
      if (to > 0 && to <= other.length) {
        const replaced = (row[at] ?? beyond) + (one.charCodeAt(from - 1) === other.charCodeAt(to - 1) ? 0 : 1);
        const shorter = Math.min(row[at + 1] ?? beyond, at === 0 ? beyond : (next[at - 1] ?? beyond)) + 1;
        distance = Math.min(replaced, shorter);
      }
      next[at] = distance;
      least = Math.min(least, distance);
    }
    if (least > editsMax) return false;
    [row, next] = [next, row];
  }
  return (row[other.length - one.length + editsMax] ?? beyond) <= editsMax;
}
