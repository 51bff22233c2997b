/** The analysis of a tool's text: its terms with their weights, and the order of its words. */
import { fieldScoring, occurrenceWeight, saturated } from './bm25f-constants.ts';
import { textWords, type Word } from './tokenizer.ts';
import { type ToolText, toolTextFields } from './tool-text.ts';

/** A tool's terms by dictionary, with their saturated weights in [0, 1). */
export interface TextAnalysis {
  stems: Map<string, number>;
  forms: Map<string, number>;
  /** Prefixes and suffixes of the name's words, weighted by their share of the word. */
  affixes: Map<string, number>;
  /** The stems in order, of the fields where adjacent words count: name, summary, description. */
  sequences: { stems: string[]; weight: number }[];
  /** The distinct stems of the name. */
  nameStems: string[];
}

/** The shortest affix, and the shortest word that affixes are taken of, in characters. */
const affixLengthMin = 4;
const affixedLengthMin = 6;
/** The longest word that affixes are taken of. Longer ones are identifiers, whose parts nobody searches for. */
const affixedLengthMax = 32;

/** Analyses a text. The result depends on the text alone. */
export function analyseText(text: ToolText): TextAnalysis {
  const stems = new Map<string, number>();
  const forms = new Map<string, number>();
  const sequences: TextAnalysis['sequences'] = [];
  let nameWords: Word[] = [];
  for (const field of toolTextFields) {
    const { words, wholes } = textWords(text[field]);
    const scoring = fieldScoring[field];
    const weight = occurrenceWeight(scoring, words.length);
    for (const { form, stem } of [...words, ...wholes]) {
      stems.set(stem, (stems.get(stem) ?? 0) + weight);
      forms.set(form, (forms.get(form) ?? 0) + weight);
    }
    if (field === 'name') nameWords = words;
    if (field === 'name' || field === 'summary' || field === 'description') {
      sequences.push({ stems: words.map(({ stem }) => stem), weight: Math.min(1, scoring.weight) });
    }
  }
  for (const dictionary of [stems, forms])
    for (const [term, weight] of dictionary) dictionary.set(term, saturated(weight));
  return {
    stems,
    forms,
    affixes: affixesOf(nameWords),
    sequences,
    nameStems: [...new Set(nameWords.map(({ stem }) => stem))],
  };
}

function affixesOf(nameWords: readonly Word[]): Map<string, number> {
  const affixes = new Map<string, number>();
  for (const { form } of nameWords) {
    if (form.length < affixedLengthMin || form.length > affixedLengthMax) continue;
    for (let length = affixLengthMin; length < form.length; length += 1) {
      for (const affix of [form.slice(0, length), form.slice(-length)]) {
        affixes.set(affix, Math.max(affixes.get(affix) ?? 0, length / form.length));
      }
    }
  }
  return affixes;
}
