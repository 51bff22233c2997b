/**
 * Posting lists: the documents that contain each term of a dictionary, with the term's weight.
 * Documents are numbers. A list keeps the entries of removed documents until the next sweep.
 */
import type { SimilarTerms } from './similar-terms.ts';

/** The posting list of a term: its documents, in no order, with its weight in each. */
export interface Posting {
  readonly term: string;
  /** A small number that no other term of the dictionary has at the same time. */
  readonly id: number;
  /** They include documents that were removed since the last sweep. */
  readonly documents: number[];
  readonly weights: number[];
  /** The number of documents of all namespaces, and of each namespace, without the removed ones. */
  shared: number;
  readonly owned: Map<string, number>;
}

/** A dictionary of terms with their posting lists. */
export interface Postings {
  /** Adds a document, whose number no entry has. Returns the posting lists it is now in. */
  add(document: number, namespace: string | undefined, weights: ReadonlyMap<string, number>): Posting[];
  /** Removes a document from the lists that {@link Postings.add} returned. Its entries remain until the next sweep. */
  remove(namespace: string | undefined, postings: readonly Posting[]): void;
  /** Drops the entries of removed documents, one list a step. Lists that change meanwhile are swept as well. */
  sweep(isRemoved: (document: number) => boolean): Generator<void, void>;
  /** Whether no list has entries of removed documents. */
  isSwept(): boolean;
  /** The list of a term that some document contains. */
  find(term: string): Posting | undefined;
  /** Every id is below this. */
  idsCount(): number;
}

/** Creates an empty dictionary. Its terms are kept in `terms` as well, if set. */
export function createPostings(terms?: Pick<SimilarTerms, 'add' | 'remove'>): Postings {
  const postings = new Map<string, Posting>();
  const unswept = new Set<Posting>();
  const freeIds: number[] = [];
  let idsCount = 0;

  function create(term: string): Posting {
    const id = freeIds.pop() ?? idsCount;
    idsCount = Math.max(idsCount, id + 1);
    const posting = { term, id, documents: [], weights: [], shared: 0, owned: new Map<string, number>() };
    postings.set(term, posting);
    terms?.add(term);
    return posting;
  }

  function discard(posting: Posting): void {
    postings.delete(posting.term);
    terms?.remove(posting.term);
    unswept.delete(posting);
    freeIds.push(posting.id);
  }

  return {
    add: (document, namespace, weights) =>
      Array.from(weights, ([term, weight]) => {
        const posting = postings.get(term) ?? create(term);
        posting.documents.push(document);
        posting.weights.push(weight);
        count(posting, namespace, 1);
        return posting;
      }),
    remove: (namespace, removed) => {
      for (const posting of removed) {
        count(posting, namespace, -1);
        if (posting.shared === 0 && posting.owned.size === 0) discard(posting);
        else unswept.add(posting);
      }
    },
    *sweep(isRemoved) {
      for (const posting of unswept) {
        unswept.delete(posting);
        dropRemoved(posting, isRemoved);
        yield;
      }
    },
    isSwept: () => unswept.size === 0,
    find: (term) => postings.get(term),
    idsCount: () => idsCount,
  };
}

/** The number of documents visible to `namespace` that contain the term. */
export function holdersOf(posting: Posting | undefined, namespace: string): number {
  return posting === undefined ? 0 : posting.shared + (posting.owned.get(namespace) ?? 0);
}

function dropRemoved({ documents, weights }: Posting, isRemoved: (document: number) => boolean): void {
  let kept = 0;
  for (let at = 0; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    if (isRemoved(document)) continue;
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
