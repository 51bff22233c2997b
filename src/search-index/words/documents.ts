/** The documents of the text index coming and going: each gets a number, and its terms a place in each dictionary. */
import type { IndexedTool } from '../../shapes/tool.ts';
import type { IndexedDocument, TextIndex } from './bm25f.ts';
import type { TextAnalysis } from './field-analysis.ts';
import { createPostings, type Posting } from './postings.ts';

/** A document with where it stands in each dictionary. */
export interface PostedTool extends IndexedDocument {
  stems: readonly Posting[];
  forms: readonly Posting[];
  affixes: readonly Posting[];
}

/** The index as searches read it, and what changes it. */
export interface TextDocuments {
  readonly index: TextIndex;
  add(tool: IndexedTool, analysis: TextAnalysis): PostedTool;
  /** Takes documents out, at the cost of one pass over the terms they hold. */
  removeAll(gone: readonly PostedTool[]): void;
}

const dictionaries = ['stems', 'forms', 'affixes'] as const;

/** Numbers that nobody has any more, at most half as many as there are and this; then all are numbered anew. */
const unusedNumbersMin = 1024;

/** Makes an empty index. */
export function createTextIndex(): TextDocuments {
  const index: TextIndex = {
    stems: createPostings(),
    forms: createPostings(),
    affixes: createPostings(),
    documents: [],
    counts: { shared: 0, owned: new Map() },
  };
  let unusedNumbers = 0;
  return {
    index,
    add: (tool, analysis) => {
      const number = index.documents.length;
      const { sequences, nameStems } = analysis;
      const posted = {
        ...{ number, tool, sequences, nameStems },
        stems: index.stems.add(number, tool.namespace, analysis.stems),
        forms: index.forms.add(number, tool.namespace, analysis.forms),
        affixes: index.affixes.add(number, tool.namespace, analysis.affixes),
      };
      index.documents.push(posted);
      count(index, tool.namespace, 1);
      return posted;
    },
    removeAll: (gone) => {
      takeOut(index, gone);
      unusedNumbers += gone.length;
      if (unusedNumbers <= unusedNumbersMin + index.documents.length / 2) return;
      renumber(index);
      unusedNumbers = 0;
    },
  };
}

function takeOut(index: TextIndex, gone: readonly PostedTool[]): void {
  for (const dictionary of dictionaries) {
    const postedIn = gone.map(({ number, tool: { namespace }, [dictionary]: postings }) => ({
      document: number,
      namespace,
      postings,
    }));
    index[dictionary].removeAll(postedIn);
  }
  for (const { number, tool } of gone) {
    index.documents[number] = undefined;
    count(index, tool.namespace, -1);
  }
}

/** Closes the gaps, in the order there is. */
function renumber(index: TextIndex): void {
  const numbers = new Int32Array(index.documents.length);
  index.documents = index.documents.filter((document) => document !== undefined);
  for (const [number, document] of index.documents.entries()) {
    if (document === undefined) continue;
    numbers[document.number] = number;
    document.number = number;
  }
  for (const dictionary of dictionaries) index[dictionary].renumber(numbers);
}

function count({ counts }: TextIndex, namespace: string | undefined, change: number): void {
  if (namespace === undefined) counts.shared += change;
  else counts.owned.set(namespace, (counts.owned.get(namespace) ?? 0) + change);
}
