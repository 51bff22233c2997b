/**
 * What the words of a request are worth in a tool's text: BM25F over six fields (Robertson and Zaragoza, The
 * Probabilistic Relevance Framework, Foundations and Trends in Information Retrieval 3 (4), 2009, section 3.6) with a
 * few further signs. Pure; every constant of the text score stands here with its reason.
 */
import type { ToolText } from './tool-fields.ts';

/** How one field counts. */
export interface FieldScoring {
  weight: number;
  /** b of BM25F: 0, its length does not matter; 1, twice the length halves a word's worth. */
  lengthShare: number;
  /**
   * Words of a usual one, over 5,582 tools of 750 servers. Constants and no running averages: a tool's worth must not
   * change when another team connects a server of long texts, and small hubs have no averages worth the name.
   */
  lengthUsual: number;
}

/** The fields, by what they tell about a tool. Chosen by hand on 2,889 labelled requests over 399 real tools. */
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
  /** k1 of BM25: how soon a word's repetition stops to count. Low, as tools' texts are short. */
  saturation: 0.8,
  /** A word in the very form it was asked in counts this much more than another form: "keys" lists, "key" gets. */
  exactForm: 0.4,
  /** A word that the request repeats counts more, by the logarithm of how often. */
  repetition: 0.3,
  /** A name that holds the word at its beginning or end ("keyvault" for "vault"), by the share of it. */
  affix: 0.5,
  /** Ceiling of the rareness that an affix counts by: it is a guess. */
  affixRarenessMax: 6,
  /** A word that no tool knows counts this much where a known one is a typing error away. */
  typingError: 0.3,
  /** The share of the request that was found at all, as a power: a tool that has all of it comes first. */
  coverage: 0.2,
  /** The name's words that the request has, squared by their share in the name: "list keys" is `key_list`. */
  nameCoverage: 0.3,
  /** Two words that stand together in both. */
  neighbours: 0.3,
} as const;

/** How rare a word is among `toolsCount` tools, `holdersCount` of which hold it; never negative. */
export function rareness(holdersCount: number, toolsCount: number): number {
  return Math.log(1 + (Math.max(0, toolsCount - holdersCount) + 0.5) / (holdersCount + 0.5));
}

/** One occurrence of a word in a field of `length` words, before saturation. */
export function occurrenceWeight({ weight, lengthShare, lengthUsual }: FieldScoring, length: number): number {
  return weight / (1 - lengthShare + (lengthShare * length) / lengthUsual);
}

/** A word's whole weight in a tool, saturated: in [0, 1). */
export function saturated(weight: number): number {
  return weight / (textScoring.saturation + weight);
}
