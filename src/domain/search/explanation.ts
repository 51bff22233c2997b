/** The explanation of a search result: the parts of its score as sentences for people. */
import type { ScoreParts } from '../../shapes/search.ts';

/** One line for each part that affected the score, in the order in which they are applied. */
export function explainParts(parts: ScoreParts): string[] {
  const { ownEvidence, othersEvidence, othersCount } = parts;
  return [
    textLine(parts),
    ...(parts.affinity > 0 ? [`you have used it before (weight ${number(parts.affinity)})`] : []),
    ...(ownEvidence === 0 ? [] : [`your own outcomes of this request say ${signed(ownEvidence)}`]),
    ...(othersEvidence === 0
      ? []
      : [`outcomes of ${othersCount} other ${othersCount === 1 ? 'key' : 'keys'} say ${signed(othersEvidence)}`]),
    `right with probability ${number(parts.relevance)}, answers with probability ${number(parts.availability)}`,
    ...(parts.explored ? ['placed here to be tried: no tool has succeeded for this request yet'] : []),
  ];
}

/** Whether learning changed the rank of a tool compared with its text alone; `place` is from 1. */
export function isMoved({ textRank }: ScoreParts, place: number): boolean {
  return textRank !== place;
}

function textLine({ textRank, textScore, textLogOdds }: ScoreParts): string {
  if (textRank === undefined || textScore === undefined) {
    return `remembered for this request, not found by its text: ${signed(textLogOdds)}`;
  }
  return `number ${textRank} by its text (score ${number(textScore)}): ${signed(textLogOdds)}`;
}

function signed(logOdds: number): string {
  return `${logOdds < 0 ? '-' : '+'}${number(Math.abs(logOdds))} log-odds`;
}

function number(value: number): string {
  return value.toFixed(2);
}
