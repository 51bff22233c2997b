/**
 * The BM25F search over the words of all tools, with typing errors, affixes and word order.
 * Rareness of words is computed from the tools that the namespace sees, so that scores reveal nothing of other namespaces.
 */
import type { IndexedTool } from '../../shapes/tool.ts';
import { compareTools, isWanted, type TextMatches, type ToolIndexQuery } from '../tool-index.ts';
import { rareness, textScoring } from './bm25f-constants.ts';
import { kthLargest } from './kth-largest.ts';
import type { Posting, Postings } from './postings.ts';
import type { TextAnalysis } from './text-analysis.ts';
import { type QueryWord, type QueryWords, queryWords } from './tokenizer.ts';

/** A tool in the index. */
export interface IndexedDocument extends Pick<TextAnalysis, 'sequences' | 'nameStems'> {
  number: number;
  tool: IndexedTool;
}

/** What an inverted index contains: the dictionaries of all terms, and the documents at the index of their number. */
export interface InvertedIndexContent {
  stems: Postings;
  forms: Postings;
  affixes: Postings;
  documents: (IndexedDocument | undefined)[];
  /** The number of tools of all namespaces, and of each namespace. */
  counts: { shared: number; owned: Map<string, number> };
}

/** The number of candidates that are rescored by coverage and word order, which cannot raise others to the top. */
const rescoredMax = 200;
/** The most unknown words that are looked up as typing errors. Each is compared with all known words. */
const typingErrorsMax = 8;
/** The most known words that one unknown word is replaced with. */
const nearWordsMax = 4;

/** Runs the query. */
export function searchText(index: InvertedIndexContent, query: ToolIndexQuery): TextMatches {
  const words = queryWords(query.query);
  const scorer = createScorer(index, query.namespace);
  addWords(scorer, words);
  addTypingErrors(scorer, words.words);
  const matches = topDocuments(index, scorer, query, Math.max(rescoredMax, query.limit))
    .map(({ document, score }) => ({ tool: document.tool, lexical: rescored(scorer, words.words, document, score) }))
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
  namespace: string;
  scores: Float64Array;
  /** The sum of the rareness of the distinct words found in each document, and of all words of the query. */
  coveredRareness: Float64Array;
  totalRareness: number;
  rarenessOf: (stem: string) => number;
}

function createScorer(index: InvertedIndexContent, namespace: string): Scorer {
  const toolsCount = index.counts.shared + (index.counts.owned.get(namespace) ?? 0);
  return {
    index,
    namespace,
    scores: new Float64Array(index.documents.length),
    coveredRareness: new Float64Array(index.documents.length),
    totalRareness: 0,
    rarenessOf: (stem) => rareness(index.stems.holders(stem, namespace), toolsCount),
  };
}

function addWords(scorer: Scorer, { words, wholes }: QueryWords): void {
  const { stems, forms, affixes } = scorer.index;
  const seen = new Set<string>();
  const isNew = (key: string) => !seen.has(key) && seen.add(key);
  for (const { form, stem, weight } of words) {
    const rare = scorer.rarenessOf(stem);
    if (isNew(`stem ${stem}`)) {
      const repeated = words.filter((word) => word.stem === stem).length;
      addPosting(scorer, stems.find(stem), rare * weight * (1 + textScoring.repetition * Math.log(repeated)), rare);
      scorer.totalRareness += rare;
    }
    if (!isNew(`form ${form}`)) continue;
    addPosting(scorer, forms.find(form), formRareness(scorer, form) * weight * textScoring.exactForm);
    addPosting(scorer, affixes.find(form), Math.min(rare, textScoring.affixRarenessMax) * textScoring.affix);
  }
  for (const { form, stem } of wholes) {
    if (isNew(`stem ${stem}`)) addPosting(scorer, stems.find(stem), scorer.rarenessOf(stem));
    if (isNew(`form ${form}`)) {
      addPosting(scorer, forms.find(form), formRareness(scorer, form) * textScoring.exactForm);
    }
  }
}

function addTypingErrors(scorer: Scorer, words: readonly QueryWord[]): void {
  const { stems, forms } = scorer.index;
  const unknown = words.filter(({ form, stem }) => editsMax(form) > 0 && stems.find(stem) === undefined);
  for (const { form } of unknown.slice(0, typingErrorsMax)) {
    for (const near of forms.near(form, editsMax(form)).sort().slice(0, nearWordsMax)) {
      addPosting(scorer, forms.find(near), formRareness(scorer, near) * textScoring.typingError);
    }
  }
}

function editsMax(form: string): number {
  if (form.length < 5 || !/^\p{L}+$/u.test(form)) return 0;
  return form.length < 9 ? 1 : 2;
}

function formRareness({ index, namespace }: Scorer, form: string): number {
  return rareness(index.forms.holders(form, namespace), index.counts.shared + (index.counts.owned.get(namespace) ?? 0));
}

// The innermost loop of a search, over every tool that contains a word: plain indexing, no iterators.
function addPosting(
  { scores, coveredRareness }: Scorer,
  posting: Posting | undefined,
  factor: number,
  covers = 0,
): void {
  if (posting === undefined) return;
  const { documents, weights } = posting;
  for (let at = 0; at < documents.length; at += 1) {
    const document = documents[at] ?? 0;
    scores[document] = (scores[document] ?? 0) + factor * (weights[at] ?? 0);
    coveredRareness[document] = (coveredRareness[document] ?? 0) + covers;
  }
}

/** The best `countMax` documents that pass the filters, in order. Only these are sorted. */
function topDocuments(index: InvertedIndexContent, { scores }: Scorer, query: ToolIndexQuery, countMax: number) {
  const wanted = new Float64Array(scores.length);
  let count = 0;
  for (let number = 0; number < scores.length; number += 1) {
    const score = scores[number] ?? 0;
    const document = score > 0 ? index.documents[number] : undefined;
    if (document === undefined || !isWanted(document.tool, query)) scores[number] = 0;
    else {
      wanted[count] = score;
      count += 1;
    }
  }
  const least = count > countMax ? kthLargest(wanted.subarray(0, count), countMax) : Number.MIN_VALUE;
  const found: { document: IndexedDocument; score: number }[] = [];
  for (let number = 0; number < scores.length; number += 1) {
    const score = scores[number] ?? 0;
    const document = score >= least ? index.documents[number] : undefined;
    if (document !== undefined) found.push({ document, score });
  }
  return found
    .sort((one, other) => other.score - one.score || compareTools(one.document.tool, other.document.tool))
    .slice(0, countMax);
}

/** The score with the coverage of the query, the coverage of the tool's name, and adjacent words. */
function rescored(scorer: Scorer, words: readonly QueryWord[], document: IndexedDocument, score: number): number {
  const queryStems = new Set(words.map(({ stem }) => stem));
  const covered = (scorer.coveredRareness[document.number] ?? 0) / Math.max(scorer.totalRareness, Number.MIN_VALUE);
  return (
    score * Math.max(coverageMin, Math.min(1, covered)) ** textScoring.coverage +
    textScoring.nameCoverage * nameCoverage(scorer, queryStems, document) +
    textScoring.neighbours * neighbours(scorer, words, document)
  );
}

/** The coverage of tools found only by a typing error or an affix, which cover no word but must still be found. */
const coverageMin = 0.02;

function nameCoverage({ rarenessOf }: Scorer, queryStems: ReadonlySet<string>, { nameStems }: IndexedDocument): number {
  let total = 0;
  let covered = 0;
  for (const stem of nameStems) {
    const rare = rarenessOf(stem);
    total += rare;
    if (queryStems.has(stem)) covered += rare;
  }
  return total === 0 ? 0 : (covered * covered) / total;
}

function neighbours({ rarenessOf }: Scorer, words: readonly QueryWord[], { sequences }: IndexedDocument): number {
  let sum = 0;
  for (let at = 0; at + 1 < words.length; at += 1) {
    const left = words[at]?.stem;
    const right = words[at + 1]?.stem;
    if (left === undefined || right === undefined || left === right) continue;
    const weight = sequences.reduce(
      (best, { stems, weight }) => (weight > best && areAdjacent(stems, left, right) ? weight : best),
      0,
    );
    if (weight > 0) sum += weight * Math.min(rarenessOf(left), rarenessOf(right));
  }
  return sum;
}

function areAdjacent(stems: readonly string[], left: string, right: string): boolean {
  for (let at = stems.indexOf(left); at >= 0; at = stems.indexOf(left, at + 1))
    if (stems[at + 1] === right) return true;
  return false;
}
