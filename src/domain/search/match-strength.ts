/**
 * Thresholds for the strength of a match: which results are marked weak, and which are left out.
 * It uses what the words and the meaning of a tool score by themselves, not the score of the answer, whose best is always 1.
 */
import type { FoundTool } from '../../search-index/tool-index.ts';

/**
 * The thresholds. Measured with words alone and with words and the static model, on 1,097 labelled requests (501 for the Azure
 * MCP server, every fourth of those for plug-ins) and 50 that no tool serves, such as "walk the dog", in hubs of 32, 199, 200, 399
 * and 5,582 tools. Weak are 0 to 10 % of the first results that are right, and 60 to 100 % of those of requests that no tool
 * serves; words alone: 0 to 8 % and 58 to 100 %. docs/search.md has the table.
 */
export const matchStrength = {
  /** A word score below this, times ln(1 + tools), is weak: word scores grow with the rareness of words, and so with the hub. */
  wordsPerLogTools: 0.7,
  /** A cosine below this is weak. Half of the right first results had 0.45 or more in the hardest hub. */
  cosineWeak: 0.4,
  /** A tool that no word finds and whose cosine is below this is left out beside a match that is not weak. */
  cosineMin: 0.2,
  /**
   * The same where every match is weak. With the value above, newcomers got no result for 7 of 60 requests that a tool serves,
   * and 11 fewer right tools among three; with this one they lose none.
   */
  cosineMinAmongWeak: 0.08,
} as const;

/** The matches without those that nothing but chance relates to the request. `toolsCount`: the tools that the caller sees. */
export function relatedMatches(found: readonly FoundTool[], toolsCount: number): FoundTool[] {
  const { cosineMin, cosineMinAmongWeak } = matchStrength;
  const min = found.every(({ parts }) => isWeakMatch(parts, toolsCount)) ? cosineMinAmongWeak : cosineMin;
  return found.filter(({ parts: { lexical, dense } }) => lexical !== undefined || dense === undefined || dense >= min);
}

/** The absolute quality of a match: 1 for words or a meaning at the threshold of a weak match, 2 for both. */
export function matchQuality({ lexical = 0, dense = 0 }: FoundTool['parts'], toolsCount: number): number {
  const { wordsPerLogTools, cosineWeak } = matchStrength;
  return lexical / (wordsPerLogTools * Math.log(1 + toolsCount)) + Math.max(0, dense) / cosineWeak;
}

/** Whether a tool matches so weakly that an agent should ask before it uses it. `toolsCount`: the tools that the caller sees. */
export function isWeakMatch({ lexical = 0, dense = 0 }: FoundTool['parts'], toolsCount: number): boolean {
  return lexical < matchStrength.wordsPerLogTools * Math.log(1 + toolsCount) && dense < matchStrength.cosineWeak;
}
