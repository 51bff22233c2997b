/** The inverted index of tools: documents by number, and three dictionaries of their terms. */
import type { IndexedTool } from '../../shapes/tool.ts';
import type { IndexedDocument, InvertedIndexContent } from './bm25f.ts';
import { createPostings, type Posting } from './postings.ts';
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
  /** Removes documents, at the cost of one pass over the posting lists of their terms. */
  removeAll(removed: readonly DocumentWithPostings[]): void;
}

const dictionaries = ['stems', 'forms', 'affixes'] as const;

/** Documents are renumbered once more than this and half of all numbers are unused. */
const unusedNumbersMin = 1024;

/** Creates an empty index. */
export function createInvertedIndex(): InvertedIndex {
  const content: InvertedIndexContent = {
    stems: createPostings(),
    forms: createPostings(),
    affixes: createPostings(),
    documents: [],
    counts: { shared: 0, owned: new Map() },
  };
  let unusedNumbers = 0;
  return {
    content,
    add: (tool, analysis) => {
      const number = content.documents.length;
      const { sequences, nameStems } = analysis;
      const document = {
        ...{ number, tool, sequences, nameStems },
        stems: content.stems.add(number, tool.namespace, analysis.stems),
        forms: content.forms.add(number, tool.namespace, analysis.forms),
        affixes: content.affixes.add(number, tool.namespace, analysis.affixes),
      };
      content.documents.push(document);
      count(content, tool.namespace, 1);
      return document;
    },
    removeAll: (removed) => {
      removeDocuments(content, removed);
      unusedNumbers += removed.length;
      if (unusedNumbers <= unusedNumbersMin + content.documents.length / 2) return;
      renumber(content);
      unusedNumbers = 0;
    },
  };
}

function removeDocuments(content: InvertedIndexContent, removed: readonly DocumentWithPostings[]): void {
  for (const dictionary of dictionaries) {
    const documents = removed.map(({ number, tool: { namespace }, [dictionary]: postings }) => ({
      document: number,
      namespace,
      postings,
    }));
    content[dictionary].removeAll(documents);
  }
  for (const { number, tool } of removed) {
    content.documents[number] = undefined;
    count(content, tool.namespace, -1);
  }
}

/** Numbers the documents without gaps, in the same order. */
function renumber(content: InvertedIndexContent): void {
  const numbers = new Int32Array(content.documents.length);
  content.documents = content.documents.filter((document) => document !== undefined);
  for (const [number, document] of content.documents.entries()) {
    if (document === undefined) continue;
    numbers[document.number] = number;
    document.number = number;
  }
  for (const dictionary of dictionaries) content[dictionary].renumber(numbers);
}

function count({ counts }: InvertedIndexContent, namespace: string | undefined, change: number): void {
  if (namespace === undefined) counts.shared += change;
  else counts.owned.set(namespace, (counts.owned.get(namespace) ?? 0) + change);
}
