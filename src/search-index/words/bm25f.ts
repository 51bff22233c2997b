/**
 * One request against the words of all tools. How rare a word is, is counted over what the namespace sees, so that
 * nothing of another namespace shows, not even in a score.
 */
import type { IndexedTool } from '../../shapes/tool.ts';
import { compareTools, isWanted, type TextMatches, type ToolIndexQuery } from '../tool-index.ts';
import type { TextAnalysis } from './field-analysis.ts';
import { kthLargest } from './kth-largest.ts';
import type { Posting, Postings } from './postings.ts';
import { rareness, textScoring } from './score-constants.ts';
import { type QueryWord, type QueryWords, queryWords } from './terms.ts';

/** A tool in the index. */
export interface IndexedDocument extends Pick<TextAnalysis, 'sequences' | 'nameStems'> {
  number: number;
  tool: IndexedTool;
}

/** The dictionaries of all tools; documents stand at their numbers. */
export interface TextIndex {
  stems: Postings;
  forms: Postings;
  affixes: Postings;
  documents: (IndexedDocument | undefined)[];
  /** Tools of every namespace, and of each. */
  counts: { shared: number; owned: Map<string, number> };
}

/** Candidates whose words are compared in order; below them a word more or less decides nothing. */
const comparedMax = 200;
/** Words unknown to every tool that are looked up as typing errors; each is compared with all known words. */
const typingErrorsMax = 8;
/** Known words that one unknown word may stand for. */
const nearWordsMax = 4;

/** Answers the query. */
export function searchText(index: TextIndex, query: ToolIndexQuery): TextMatches {
  const words = queryWords(query.query);
  const scorer = createScorer(index, query.namespace);
  addWords(scorer, words);
  addTypingErrors(scorer, words.words);
  const matches = collected(index, scorer, query, Math.max(comparedMax, query.limit))
    .map(({ document, score }) => ({ tool: document.tool, lexical: compared(scorer, words.words, document, score) }))
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
  index: TextIndex;
  namespace: string;
  scores: Float64Array;
  /** Rareness of the distinct words that were found in the document, and of all. */
  coveredRareness: Float64Array;
  wholeRareness: number;
  rarenessOf: (stem: string) => number;
}

function createScorer(index: TextIndex, namespace: string): Scorer {
  const toolsCount = index.counts.shared + (index.counts.owned.get(namespace) ?? 0);
  return {
    index,
    namespace,
    scores: new Float64Array(index.documents.length),
    coveredRareness: new Float64Array(index.documents.length),
    wholeRareness: 0,
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
      scorer.wholeRareness += rare;
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

// The innermost loop of a search, over every tool that holds a word: plain indexing, no iterators.
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

/** The best `countMax` of the documents that are wanted, in order. Only those near the top are ever sorted. */
function collected(index: TextIndex, { scores }: Scorer, query: ToolIndexQuery, countMax: number) {
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

/** The score with what the candidates' words tell together: how much of the request, of the name, and side by side. */
function compared(scorer: Scorer, words: readonly QueryWord[], document: IndexedDocument, score: number): number {
  const asked = new Set(words.map(({ stem }) => stem));
  const covered = (scorer.coveredRareness[document.number] ?? 0) / Math.max(scorer.wholeRareness, Number.MIN_VALUE);
  return (
    score * Math.max(coverageMin, Math.min(1, covered)) ** textScoring.coverage +
    textScoring.nameCoverage * nameCoverage(scorer, asked, document) +
    textScoring.neighbours * neighbours(scorer, words, document)
  );
}

/** What is found by typing error or affix alone covers nothing, and is still found. */
const coverageMin = 0.02;

function nameCoverage({ rarenessOf }: Scorer, asked: ReadonlySet<string>, { nameStems }: IndexedDocument): number {
  let whole = 0;
  let covered = 0;
  for (const stem of nameStems) {
    const rare = rarenessOf(stem);
    whole += rare;
    if (asked.has(stem)) covered += rare;
  }
  return whole === 0 ? 0 : (covered * covered) / whole;
}

function neighbours({ rarenessOf }: Scorer, words: readonly QueryWord[], { sequences }: IndexedDocument): number {
  let sum = 0;
  for (let at = 0; at + 1 < words.length; at += 1) {
    const left = words[at]?.stem;
    const right = words[at + 1]?.stem;
    if (left === undefined || right === undefined || left === right) continue;
    const weight = sequences.reduce(
      (best, { stems, weight }) => (weight > best && standTogether(stems, left, right) ? weight : best),
      0,
    );
    if (weight > 0) sum += weight * Math.min(rarenessOf(left), rarenessOf(right));
  }
  return sum;
}

function standTogether(stems: readonly string[], left: string, right: string): boolean {
  for (let at = stems.indexOf(left); at >= 0; at = stems.indexOf(left, at + 1))
    if (stems[at + 1] === right) return true;
  return false;
}
