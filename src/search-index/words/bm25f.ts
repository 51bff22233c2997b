/**
 * The BM25F search over the words of all tools, with typing errors, affixes and word order.
 * Rareness of words is computed from the tools that the namespace sees, so that scores reveal nothing of other namespaces.
 */
import type { IndexedTool } from '../../shapes/tool.ts';
import { bestIndexes } from '../best-values.ts';
import { compareTools, isWanted, type TextMatches, type ToolIndexQuery } from '../tool-index.ts';
import { rareness, textScoring } from './bm25f-constants.ts';
import { holdersOf, type Posting, type Postings } from './postings.ts';
import { createRescoring, type RescoredDocument } from './rescoring.ts';
import type { SimilarTerms } from './similar-terms.ts';
import { type QueryWord, type QueryWords, queryWords } from './tokenizer.ts';

/** A tool in the index. */
export interface IndexedDocument extends RescoredDocument {
  readonly number: number;
  tool: IndexedTool;
}

/** What an inverted index contains: the dictionaries of all terms, and the documents at the index of their number. */
export interface InvertedIndexContent {
  readonly stems: Postings;
  readonly forms: Postings;
  readonly affixes: Postings;
  /** The terms of `forms`. */
  readonly similarForms: SimilarTerms;
  /** Undefined at the numbers of removed documents. */
  readonly documents: (IndexedDocument | undefined)[];
  /** The number of tools of all namespaces, and of each namespace. */
  readonly counts: { shared: number; owned: Map<string, number> };
}

/** The number of candidates that are rescored by coverage and word order, which cannot raise others to the top. */
const rescoredMax = 200;
/** The most unknown words that are looked up as typing errors. Each is compared with the known words of similar length. */
const typingErrorsMax = 8;
/** The most known words that one unknown word is replaced with. */
const nearWordsMax = 4;

/** Runs the query. */
export function searchText(index: InvertedIndexContent, query: ToolIndexQuery): TextMatches {
  const words = queryWords(query.query);
  const scorer = createScorer(index, query.namespace);
  addWords(scorer, words);
  addTypingErrors(scorer, words.words);
  const rescored = createRescoring({ ...scorer, stems: index.stems, words: words.words });
  const matches = topDocuments(index, scorer, query, Math.max(rescoredMax, query.limit))
    .map(({ document, score }) => ({
      tool: document.tool,
      lexical: rescored(document, { score, covered: scorer.coveredRareness[document.number] ?? 0 }),
    }))
    .sort((one, other) => other.lexical - one.lexical || compareTools(one.tool, other.tool))
    .slice(0, query.limit);
  const best = matches[0]?.lexical ?? 1;
  const found = matches.map(({ tool, lexical }) => ({
    tool,
    score: lexical / best,
    parts: { lexical, dense: undefined },
  }));
  return { found, scoring: 'lexical' };
}

/** The sums of one search, by document number. */
interface Scorer {
  index: InvertedIndexContent;
  scores: Float64Array;
  /** The sum of the rareness of the distinct words found in each document, and of all words of the query. */
  coveredRareness: Float64Array;
  totalRareness: number;
  rarenessOf: (posting: Posting | undefined) => number;
  /** Whether a tool that the namespace sees contains the term. */
  isKnown: (posting: Posting | undefined) => boolean;
}

function createScorer(index: InvertedIndexContent, namespace: string): Scorer {
  const toolsCount = index.counts.shared + (index.counts.owned.get(namespace) ?? 0);
  return {
    index,
    scores: new Float64Array(index.documents.length),
    coveredRareness: new Float64Array(index.documents.length),
    totalRareness: 0,
    rarenessOf: (posting) => rareness(holdersOf(posting, namespace), toolsCount),
    isKnown: (posting) => holdersOf(posting, namespace) > 0,
  };
}

function addWords(scorer: Scorer, { words, wholes }: QueryWords): void {
  const { stems, forms, affixes } = scorer.index;
  const { rarenessOf } = scorer;
  const seen = new Set<string>();
  const isNew = (key: string) => !seen.has(key) && seen.add(key);
  for (const { form, stem, weight } of words) {
    const rare = rarenessOf(stems.find(stem));
    if (isNew(`stem ${stem}`)) {
      const repeated = words.filter((word) => word.stem === stem).length;
      addPosting(scorer, stems.find(stem), rare * weight * (1 + textScoring.repetition * Math.log(repeated)));
      addCovered(scorer, stems.find(stem), rare);
      scorer.totalRareness += rare;
    }
    if (!isNew(`form ${form}`)) continue;
    addPosting(scorer, forms.find(form), rarenessOf(forms.find(form)) * weight * textScoring.exactForm);
    addPosting(scorer, affixes.find(form), Math.min(rare, textScoring.affixRarenessMax) * textScoring.affix);
  }
  for (const { form, stem } of wholes) {
    if (isNew(`stem ${stem}`)) addPosting(scorer, stems.find(stem), rarenessOf(stems.find(stem)));
    if (isNew(`form ${form}`)) {
      addPosting(scorer, forms.find(form), rarenessOf(forms.find(form)) * textScoring.exactForm);
    }
  }
}

function addTypingErrors(scorer: Scorer, words: readonly QueryWord[]): void {
  const { isKnown, index } = scorer;
  const { stems, forms, similarForms } = index;
  const unknown = words.filter(({ form, stem }) => editsMax(form) > 0 && !isKnown(stems.find(stem)));
  for (const { form } of unknown.slice(0, typingErrorsMax)) {
    const near = similarForms.near(form, editsMax(form)).filter((term) => isKnown(forms.find(term)));
    for (const term of near.sort().slice(0, nearWordsMax)) {
      addPosting(scorer, forms.find(term), scorer.rarenessOf(forms.find(term)) * textScoring.typingError);
    }
  }
}

function editsMax(form: string): number {
  if (form.length < 5 || !/^\p{L}+$/u.test(form)) return 0;
  return form.length < 9 ? 1 : 2;
}

// The innermost loops of a search, over every tool that contains a word: plain indexing, no iterators. The numbers of removed
// documents get scores as well, until a sweep.
function addPosting({ scores }: Scorer, posting: Posting | undefined, factor: number): void {
  if (posting === undefined) return;
  const { documents, weights } = posting;
  for (let at = 0; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    scores[document] = (scores[document] ?? 0) + factor * (weights[at] ?? 0);
  }
}

function addCovered({ coveredRareness }: Scorer, posting: Posting | undefined, rare: number): void {
  if (posting === undefined) return;
  const { documents } = posting;
  for (let at = 0; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    coveredRareness[document] = (coveredRareness[document] ?? 0) + rare;
  }
}

interface ScoredDocument {
  document: IndexedDocument;
  score: number;
}

/** The best `countMax` documents that pass the filters, in order. Only these are sorted. */
function topDocuments(
  { documents }: InvertedIndexContent,
  { scores }: Scorer,
  query: ToolIndexQuery,
  countMax: number,
): ScoredDocument[] {
  const isFound = (number: number) => {
    const document = documents[number];
    return document !== undefined && isWanted(document.tool, query);
  };
  return bestIndexes(scores, { countMax, above: 0, isWanted: isFound })
    .flatMap((number) => {
      const document = documents[number];
      return document === undefined ? [] : [{ document, score: scores[number] ?? 0 }];
    })
    .sort((one, other) => other.score - one.score || compareTools(one.document.tool, other.document.tool))
    .slice(0, countMax);
}
