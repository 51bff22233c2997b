/** Explains a search result: the parts of its score, and sentences, limited to what the caller may see. */
import type { Caller } from '../../shapes/access.ts';
import type { ScoreExplanation, ScoreParts, VisibleScoreParts } from '../../shapes/search.ts';
import { checkPermission } from '../access/policy.ts';
import { combinedScore } from './ranking.ts';
import { availability } from './ranking-constants.ts';

/**
 * The explanation for a caller. What other agents did is shown to those who may read the audit trail. For everybody else the
 * parts are those of the caller's own outcomes, so that those of others cannot be computed from them.
 */
export function explanationFor(caller: Caller, { ownAvailability, ...parts }: ScoreParts): ScoreExplanation {
  const seesOthers = checkPermission(caller, 'audit.read') === 'allowed';
  const visible = seesOthers ? parts : ownParts(parts, ownAvailability ?? availability.prior);
  return { words: explainParts(visible), parts: visible };
}

function ownParts(parts: VisibleScoreParts, ownAvailability: number): VisibleScoreParts {
  const own = combinedScore(parts.textLogOdds + parts.ownEvidence, ownAvailability);
  return { ...parts, ...own, othersEvidence: 0, othersCount: 0, explored: false };
}

/** One line for each part that affected the score, in the order in which they are applied. */
function explainParts(parts: VisibleScoreParts): string[] {
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
export function isMoved({ textRank }: VisibleScoreParts, place: number): boolean {
  return textRank !== place;
}

function textLine({ textRank, textScore, textLogOdds }: VisibleScoreParts): string {
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
