/** The inverted index of tools: documents by number, and three dictionaries of their terms. */
import type { IndexedTool } from '../../shapes/tool.ts';
import type { IndexedDocument, InvertedIndexContent } from './bm25f.ts';
import { createPostings, type Posting } from './postings.ts';
import { createSimilarTerms } from './similar-terms.ts';
import type { TextAnalysis } from './text-analysis.ts';

/** A document with its posting lists in each dictionary. */
export interface DocumentWithPostings extends IndexedDocument {
  stems: readonly Posting[];
  forms: readonly Posting[];
  affixes: readonly Posting[];
}

/** The inverted index. */
export interface InvertedIndex {
  /** What searches read. */
  readonly content: InvertedIndexContent;
  add(tool: IndexedTool, analysis: TextAnalysis): DocumentWithPostings;
  /** Removes documents, in time proportional to their terms. Their space is used again after a {@link InvertedIndex.sweep}. */
  removeAll(removed: readonly DocumentWithPostings[]): void;
  /** Whether so many documents were removed since the last sweep that searches take longer. */
  isSweepDue(): boolean;
  /** Drops what is left of removed documents, in steps of microseconds. Sweeps and changes may overlap. */
  sweep(): Generator<void, void>;
}

const dictionaries = ['stems', 'forms', 'affixes'] as const;

/** A sweep is due once more than this and half of all numbers are of documents that were removed since the last one. */
const unsweptNumbersMin = 1024;

/** Creates an empty index. */
export function createInvertedIndex(): InvertedIndex {
  const similarForms = createSimilarTerms();
  const content: InvertedIndexContent = {
    stems: createPostings(),
    forms: createPostings(similarForms),
    affixes: createPostings(),
    similarForms,
    documents: [],
    counts: { shared: 0, owned: new Map() },
  };
  const isRemoved = (number: number) => content.documents[number] === undefined;
  let unsweptNumbers: number[] = [];
  let freeNumbers: number[] = [];
  return {
    content,
    add: (tool, analysis) => {
      const number = freeNumbers.pop() ?? content.documents.length;
      const document = { number, tool, ...indexedText(content, { number, tool, analysis }) };
      content.documents[number] = document;
      count(content, tool.namespace, 1);
      return document;
    },
    removeAll: (removed) => {
      for (const document of removed) {
        const { number, tool } = document;
        for (const dictionary of dictionaries) content[dictionary].remove(tool.namespace, document[dictionary]);
        content.documents[number] = undefined;
        unsweptNumbers.push(number);
        count(content, tool.namespace, -1);
      }
    },
    isSweepDue: () => unsweptNumbers.length > unsweptNumbersMin + content.documents.length / 2,
    *sweep() {
      for (const dictionary of dictionaries) yield* content[dictionary].sweep(isRemoved);
      // A number may be used again once no list has an entry of it.
      if (!dictionaries.every((dictionary) => content[dictionary].isSwept())) return;
      freeNumbers = [...freeNumbers, ...unsweptNumbers];
      unsweptNumbers = [];
    },
  };
}

/** Adds the terms of a document, and refers to those of its sequences and its name by their posting lists. */
function indexedText(
  { stems, forms, affixes }: InvertedIndexContent,
  { number, tool: { namespace }, analysis }: { number: number; tool: IndexedTool; analysis: TextAnalysis },
) {
  const postings = {
    stems: stems.add(number, namespace, analysis.stems),
    forms: forms.add(number, namespace, analysis.forms),
    affixes: affixes.add(number, namespace, analysis.affixes),
  };
  const postingOf = new Map(postings.stems.map((posting) => [posting.term, posting]));
  return {
    ...postings,
    sequences: analysis.sequences.map(({ stems: words, weight }) => ({
      stems: words.map((stem) => postingOf.get(stem)?.id ?? -1),
      weight,
    })),
    nameStems: analysis.nameStems.flatMap((stem) => postingOf.get(stem) ?? []),
  };
}

function count({ counts }: InvertedIndexContent, namespace: string | undefined, change: number): void {
  if (namespace === undefined) counts.shared += change;
  else counts.owned.set(namespace, (counts.owned.get(namespace) ?? 0) + change);
}
