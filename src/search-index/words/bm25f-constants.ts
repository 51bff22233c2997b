/**
 * The BM25F constants and formulas of the word search, each with its reason.
 * BM25F over six fields follows Robertson and Zaragoza, The Probabilistic Relevance Framework, Foundations and Trends in
 * Information Retrieval 3 (4), 2009, section 3.6. A few further signals are added.
 */
import type { ToolText } from './tool-text.ts';

/** The constants of one field. */
export interface FieldScoring {
  weight: number;
  /** b of BM25F. 0: the length of the field does not matter. 1: doubling the length halves the weight of a word. */
  lengthShare: number;
  /**
   * The usual number of words, measured over 5,582 tools of 750 servers. It is a constant and not a running average: a tool's
   * score must not change when another team connects a server with long texts, and small hubs have no reliable averages.
   */
  lengthUsual: number;
}

/** The constants by field. Chosen by hand on 2,889 labelled queries over 399 real tools. */
export const fieldScoring: Readonly<Record<keyof ToolText, FieldScoring>> = {
  name: { weight: 1.6, lengthShare: 0.6, lengthUsual: 3 },
  summary: { weight: 1.6, lengthShare: 0.7, lengthUsual: 8.5 },
  description: { weight: 0.36, lengthShare: 0.5, lengthUsual: 15 },
  parameterNames: { weight: 0.8, lengthShare: 0.5, lengthUsual: 4 },
  parameterDescriptions: { weight: 0.2, lengthShare: 0.8, lengthUsual: 13.5 },
  server: { weight: 0.3, lengthShare: 0, lengthUsual: 4 },
};

/** The constants of the text score. */
export const textScoring = {
  /** k1 of BM25: how soon further occurrences of a word stop counting. Low, since the texts of tools are short. */
  saturation: 0.8,
  /** The additional weight of a word in the same form as in the query: tools for "keys" list, tools for "key" get. */
  exactForm: 0.4,
  /** The additional weight of a word that the query repeats, by the logarithm of the number of occurrences. */
  repetition: 0.3,
  /** The weight of a name that starts or ends with the word ("keyvault" for "vault"), by the word's share of it. */
  affix: 0.5,
  /** The upper limit of an affix's rareness, since an affix is a guess. */
  affixRarenessMax: 6,
  /** The weight of a known word that differs from an unknown word of the query by a typing error. */
  typingError: 0.3,
  /** The exponent of the share of the query that the tool contains: tools with all of it come first. */
  coverage: 0.2,
  /** The weight of the share of the tool's name that is in the query, squared: "list keys" is `key_list`. */
  nameCoverage: 0.3,
  /** The weight of two words that are adjacent in both the query and the text. */
  neighbours: 0.3,
} as const;

/** Inverse document frequency of a word that `holdersCount` of `toolsCount` tools contain; never negative. */
export function rareness(holdersCount: number, toolsCount: number): number {
  return Math.log(1 + (Math.max(0, toolsCount - holdersCount) + 0.5) / (holdersCount + 0.5));
}

/** The weight of one occurrence of a word in a field of `length` words, before saturation. */
export function occurrenceWeight({ weight, lengthShare, lengthUsual }: FieldScoring, length: number): number {
  return weight / (1 - lengthShare + (lengthShare * length) / lengthUsual);
}

/** The total weight of a word in a tool after saturation, in [0, 1). */
export function saturated(weight: number): number {
  return weight / (textScoring.saturation + weight);
}
