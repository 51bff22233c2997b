/**
 * Which documents hold which term, and with what weight. Documents are numbers of a dense range; each list is kept in
 * order, so that a document comes and goes at the cost of its own terms. Knows no text.
 */

/** One term's documents, in rising order, with its weight in each. */
export interface Posting {
  documents: number[];
  weights: number[];
  /** Documents of every namespace, and of each. */
  shared: number;
  owned: Map<string, number>;
  /** The letters of the term as bits, to rule out far terms quickly. */
  letters: number;
}

/** A dictionary of terms. */
export interface Postings {
  add(document: number, namespace: string | undefined, terms: ReadonlyMap<string, number>): void;
  /** Takes the terms that the document was added with. */
  remove(document: number, namespace: string | undefined, terms: Iterable<string>): void;
  find(term: string): Posting | undefined;
  /** Documents that hold the term, as `namespace` sees them. */
  holders(term: string, namespace: string): number;
  /** Terms at most `editsMax` insertions, deletions or replacements from `term`. Looks at every term once. */
  near(term: string, editsMax: number): string[];
}

/** Makes an empty dictionary. */
export function createPostings(): Postings {
  const postings = new Map<string, Posting>();
  return {
    add: (document, namespace, terms) => {
      for (const [term, weight] of terms) {
        const posting = postings.get(term) ?? emptyPosting(term);
        postings.set(term, posting);
        const at = position(posting.documents, document);
        posting.documents.splice(at, 0, document);
        posting.weights.splice(at, 0, weight);
        count(posting, namespace, 1);
      }
    },
    remove: (document, namespace, terms) => {
      for (const term of terms) {
        const posting = postings.get(term);
        if (posting === undefined) continue;
        const at = position(posting.documents, document);
        posting.documents.splice(at, 1);
        posting.weights.splice(at, 1);
        count(posting, namespace, -1);
        if (posting.documents.length === 0) postings.delete(term);
      }
    },
    find: (term) => postings.get(term),
    holders: (term, namespace) => {
      const posting = postings.get(term);
      return posting === undefined ? 0 : posting.shared + (posting.owned.get(namespace) ?? 0);
    },
    near: (term, editsMax) => {
      const letters = letterBits(term);
      const found: string[] = [];
      for (const [other, posting] of postings) {
        // An edit changes the letters by at most two.
        if (Math.abs(other.length - term.length) > editsMax) continue;
        if (bitsCount(posting.letters ^ letters) > 2 * editsMax) continue;
        if (isWithin(term, other, editsMax)) found.push(other);
      }
      return found;
    },
  };
}

function emptyPosting(term: string): Posting {
  return { documents: [], weights: [], shared: 0, owned: new Map(), letters: letterBits(term) };
}

function count(posting: Posting, namespace: string | undefined, change: number): void {
  if (namespace === undefined) posting.shared += change;
  else {
    const left = (posting.owned.get(namespace) ?? 0) + change;
    if (left === 0) posting.owned.delete(namespace);
    else posting.owned.set(namespace, left);
  }
}

/** Where `document` is, or would be. Most are added last. */
function position(documents: readonly number[], document: number): number {
  let low = 0;
  let high = documents.length;
  if (high > 0 && (documents[high - 1] ?? 0) < document) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((documents[middle] ?? 0) < document) low = middle + 1;
    else high = middle;
  }
  return low;
}

function letterBits(term: string): number {
  let bits = 0;
  for (let at = 0; at < term.length; at += 1) bits |= 1 << (term.charCodeAt(at) & 31);
  return bits;
}

function bitsCount(bits: number): number {
  let left = bits;
  let counted = 0;
  while (left !== 0) {
    left &= left - 1;
    counted += 1;
  }
  return counted;
}

// Wagner and Fischer, Journal of the ACM 21 (1), 1974; a row above the bound ends it.
function isWithin(one: string, other: string, editsMax: number): boolean {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const replaced = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > editsMax) return false;
    row = next;
  }
  return (row[other.length] ?? 0) <= editsMax;
}
