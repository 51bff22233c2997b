/**
 * Posting lists: the documents that contain each term of a dictionary, with the term's weight.
 * Documents are numbers. Each list is in ascending order, since a new document has the highest number.
 */

/** The posting list of a term: its documents, in ascending order, with its weight in each. */
export interface Posting {
  term: string;
  documents: number[];
  weights: number[];
  /** The number of documents of all namespaces, and of each namespace. */
  shared: number;
  owned: Map<string, number>;
  /** The term's letters as a bit set, for a quick lower bound of the edit distance. */
  letters: number;
}

/** A document to remove, with the posting lists that {@link Postings.add} returned for it. */
export interface RemovedDocument {
  document: number;
  namespace: string | undefined;
  postings: readonly Posting[];
}

/** A dictionary of terms with their posting lists. */
export interface Postings {
  /** Adds a document whose number is higher than all others. Returns the posting lists it is now in. */
  add(document: number, namespace: string | undefined, terms: ReadonlyMap<string, number>): Posting[];
  /** Removes documents, at the cost of one pass over the posting lists of their terms. */
  removeAll(removed: readonly RemovedDocument[]): void;
  /** Replaces each document number `n` with `numbers[n]`. The order must stay the same. */
  renumber(numbers: Int32Array): void;
  find(term: string): Posting | undefined;
  /** The number of documents visible to `namespace` that contain the term. */
  holders(term: string, namespace: string): number;
  /** Terms at most `editsMax` insertions, deletions or replacements from `term`. Checks every term of the dictionary. */
  near(term: string, editsMax: number): string[];
}

/** Creates an empty dictionary. */
export function createPostings(): Postings {
  const postings = new Map<string, Posting>();
  return {
    add: (document, namespace, terms) => {
      const added: Posting[] = [];
      for (const [term, weight] of terms) {
        const posting = postings.get(term) ?? emptyPosting(term);
        postings.set(term, posting);
        posting.documents.push(document);
        posting.weights.push(weight);
        count(posting, namespace, 1);
        added.push(posting);
      }
      return added;
    },
    removeAll: (removed) => {
      for (const posting of removeFromPostings(removed))
        if (posting.documents.length === 0) postings.delete(posting.term);
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
        // One edit changes at most two bits.
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

/** Returns the posting lists that changed. */
function removeFromPostings(removed: readonly RemovedDocument[]): Iterable<Posting> {
  const changed = new Map<Posting, number[]>();
  // In ascending order, as the posting lists are.
  for (const { document, namespace, postings } of removed.toSorted((one, other) => one.document - other.document)) {
    for (const posting of postings) {
      const numbers = changed.get(posting);
      if (numbers === undefined) changed.set(posting, [document]);
      else numbers.push(document);
      count(posting, namespace, -1);
    }
  }
  for (const [posting, numbers] of changed) removeNumbers(posting, numbers);
  return changed.keys();
}

/** Removes documents, in ascending order. Only entries behind the first of them are moved. */
function removeNumbers({ documents, weights }: Posting, removed: readonly number[]): void {
  let next = 0;
  let kept = positionOf(documents, removed[0] ?? 0);
  for (let at = kept; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    if (document === removed[next]) {
      next += 1;
      continue;
    }
    documents[kept] = document;
    weights[kept] = weights[at] ?? 0;
    kept += 1;
  }
  documents.length = kept;
  weights.length = kept;
}

/** The position of the first number that is not smaller, by binary search. */
function positionOf(ascending: readonly number[], number: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
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

// The edit distance of Wagner and Fischer (Journal of the ACM 21 (1), 1974). It stops once a row exceeds the bound.
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
