/**
 * Which documents hold which term, and with what weight. Documents are numbers; each list is in their order, since a new one
 * is above all others. Knows no text.
 */

/** One term's documents, in rising order, with its weight in each. */
export interface Posting {
  term: string;
  documents: number[];
  weights: number[];
  /** Documents of every namespace, and of each. */
  shared: number;
  owned: Map<string, number>;
  /** The letters of the term as bits, to rule out far terms quickly. */
  letters: number;
}

/** A document on its way out, with the postings that its adding answered. */
export interface PostedDocument {
  document: number;
  namespace: string | undefined;
  postings: readonly Posting[];
}

/** A dictionary of terms. */
export interface Postings {
  /** Adds a document whose number is above all others; answers where it now stands. */
  add(document: number, namespace: string | undefined, terms: ReadonlyMap<string, number>): Posting[];
  /** Takes documents out, at the cost of one pass over the terms they hold. */
  removeAll(gone: readonly PostedDocument[]): void;
  /** Gives every document the number that stands at its old one; the order stays. */
  renumber(numbers: Int32Array): void;
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
      const standsIn: Posting[] = [];
      for (const [term, weight] of terms) {
        const posting = postings.get(term) ?? emptyPosting(term);
        postings.set(term, posting);
        posting.documents.push(document);
        posting.weights.push(weight);
        count(posting, namespace, 1);
        standsIn.push(posting);
      }
      return standsIn;
    },
    removeAll: (gone) => {
      for (const posting of takeOutAll(gone)) if (posting.documents.length === 0) postings.delete(posting.term);
    },
    renumber: (numbers) => {
      for (const { documents } of postings.values()) {
        for (let at = 0; at < documents.length; at += 1) documents[at] = numbers[documents[at] ?? 0] ?? 0;
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
  return { term, documents: [], weights: [], shared: 0, owned: new Map(), letters: letterBits(term) };
}

/** Answers the postings that lost something. */
function takeOutAll(gone: readonly PostedDocument[]): Iterable<Posting> {
  const touched = new Set<Posting>();
  const numbers = new Set<number>();
  for (const { document, namespace, postings } of gone) {
    numbers.add(document);
    for (const posting of postings) {
      touched.add(posting);
      count(posting, namespace, -1);
    }
  }
  for (const posting of touched) takeOut(posting, numbers);
  return touched;
}

function takeOut({ documents, weights }: Posting, gone: ReadonlySet<number>): void {
  let kept = 0;
  for (let at = 0; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    if (gone.has(document)) continue;
    documents[kept] = document;
    weights[kept] = weights[at] ?? 0;
    kept += 1;
  }
  documents.length = kept;
  weights.length = kept;
}

function count(posting: Posting, namespace: string | undefined, change: number): void {
  if (namespace === undefined) posting.shared += change;
  else {
    const left = (posting.owned.get(namespace) ?? 0) + change;
    if (left === 0) posting.owned.delete(namespace);
    else posting.owned.set(namespace, left);
  }
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
