/**
 * Ranks search results: the probability that a tool is right times the probability that it answers.
 * The first follows from its text score and from outcomes of the same query. Each result lists the parts of its score.
 */
import { compareTools, toolKeyOf, toolKeyText } from '../../search-index/tool-index.ts';
import type { ScoreParts, ShownTool } from '../../shapes/search.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import type { KeyedEvidence, KeyedObservations, Recollection } from './outcome-memory.ts';
import {
  affinity,
  availability,
  explorationDepth,
  explorationPlace,
  relevance,
  textOdds,
} from './ranking-constants.ts';

/** A tool to rank. */
export interface RankingCandidate {
  tool: IndexedTool;
  /** The score of the index; the best tool has 1. Undefined for a tool that only the outcome memory recalled. */
  textScore: number | undefined;
}

/** The searching key and the recalled outcomes. Tools with the same `definitionOf` share evidence about their relevance. */
export interface RankingContext {
  keyId: string;
  recollection: Recollection;
  definitionOf: (tool: IndexedTool) => string;
}

/** A ranked tool with its score. */
export interface RankedTool {
  tool: IndexedTool;
  /** In (0, 1]; the best of the search has 1. */
  score: number;
  parts: ScoreParts;
}

/** Orders candidates, best first. The order depends only on the candidates and the context. */
export function rankTools(candidates: readonly RankingCandidate[], context: RankingContext): RankedTool[] {
  const evidenceOf = pooledEvidence(candidates, context);
  const ranked = byText(candidates, context)
    .map((candidate) => scored(candidate, evidenceOf(candidate.tool), context))
    .sort((one, other) => other.parts.total - one.parts.total || compareTools(one.tool, other.tool));
  const explored = withExploration(ranked, context);
  const best = Math.max(...ranked.map(({ parts }) => parts.total));
  return explored.map(({ tool, parts }) => ({ tool, parts, score: Math.exp(parts.total - best) }));
}

/** A result in the form in which it is recorded. */
export function shownTool({ tool: { definition, namespace, offer }, parts }: RankedTool): ShownTool {
  const { serverId, toolName } = definition;
  const reference = offer && { offer: { kind: offer.kind, key: offer.key } };
  return { serverId, toolName, ...(namespace !== undefined && { namespace }), ...reference, parts };
}

interface TextPlaced extends RankingCandidate {
  toolKey: string;
  textRank: number | undefined;
  uses: number;
  logOdds: number;
}

/** Ranks by text and habit, and the resulting log-odds. */
function byText(candidates: readonly RankingCandidate[], { recollection }: RankingContext): TextPlaced[] {
  const textOrder = candidates.filter(({ textScore }) => textScore !== undefined).sort(byTextScore);
  const textRanks = new Map(textOrder.map(({ tool }, at) => [tool, at + 1]));
  const lifted = candidates.map((candidate) => {
    const toolKey = toolKeyText(toolKeyOf(candidate.tool));
    const uses = recollection.uses(toolKey);
    const lift = 1 + (affinity.lift * uses) / (uses + affinity.half);
    return {
      ...candidate,
      toolKey,
      uses,
      textRank: textRanks.get(candidate.tool),
      lifted: (candidate.textScore ?? 0) * lift,
    };
  });
  const best = Math.max(...lifted.map((candidate) => candidate.lifted), Number.MIN_VALUE);
  return lifted
    .sort((one, other) => other.lifted - one.lifted || compareTools(one.tool, other.tool))
    .map((candidate, rank) => ({
      ...candidate,
      logOdds: candidate.textScore === undefined ? textOdds.unfound : textLogOdds(candidate.lifted / best, rank),
    }));
}

function byTextScore(one: RankingCandidate, other: RankingCandidate): number {
  return (other.textScore ?? 0) - (one.textScore ?? 0) || compareTools(one.tool, other.tool);
}

function textLogOdds(score: number, rank: number): number {
  const { linear, cubic, rank: perRank, constant, scale, shift } = textOdds;
  return scale * (linear * score + cubic * score ** 3 - perRank * Math.log(rank + 1) + constant) + shift;
}

interface Evidence {
  own: number;
  others: number;
  othersCount: number;
}

/** Evidence about relevance, pooled by definition: the same tool on another server does the same. */
function pooledEvidence(
  candidates: readonly RankingCandidate[],
  { keyId, recollection, definitionOf }: RankingContext,
): (tool: IndexedTool) => Evidence {
  if (recollection.evidence.size === 0) return () => noEvidence;
  const pools = new Map<string, Map<string, number>>();
  for (const { tool } of candidates) {
    for (const opinion of recollection.evidence.get(toolKeyText(toolKeyOf(tool)))?.byKey ?? []) {
      const pool = pools.get(definitionOf(tool)) ?? new Map<string, number>();
      pools.set(definitionOf(tool), pool);
      const value = opinion.keyId === keyId ? opinion.value : discounted(opinion);
      pool.set(opinion.keyId, (pool.get(opinion.keyId) ?? 0) + value);
    }
  }
  return (tool) => {
    const pool = pools.size === 0 ? undefined : pools.get(definitionOf(tool));
    if (pool === undefined) return noEvidence;
    const others = [...pool].flatMap(([key, value]) => (key === keyId ? [] : [clipped(value, relevance.otherMax)]));
    return {
      own: clipped(pool.get(keyId) ?? 0, relevance.ownMax),
      others: clipped(sumOf(trusted(others)), relevance.othersMax),
      othersCount: pool.size - (pool.has(keyId) ? 1 : 0),
    };
  };
}

/** Without the keys that speak most against a tool for which another key vouches. They may be dishonest together. */
function trusted(values: readonly number[]): readonly number[] {
  if (!values.some((value) => value >= relevance.vouchingMin)) return values;
  const ascending = values.toSorted((one, other) => one - other);
  return ascending.filter((value, at) => value >= 0 || at >= relevance.contradictingKeysMax);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

const noEvidence: Evidence = { own: 0, others: 0, othersCount: 0 };

/** The evidence of another key, with less weight if the key has evidence about the tool for very many queries. */
function discounted({ sharedValue, requestsCount }: KeyedEvidence): number {
  return clipped(sharedValue, relevance.otherMax) * weightOf(requestsCount);
}

/** The weight in [0, 1] of what another key says about a tool for which it has evidence of so many queries. */
function weightOf(requestsCount: number): number {
  return Math.min(1, relevance.requestsPerToolMax / requestsCount) ** 2;
}

function scored(candidate: TextPlaced, evidence: Evidence, { keyId, recollection }: RankingContext) {
  const observations = recollection.observations(candidate.toolKey);
  const isUp = availabilityFor(keyId, observations);
  const own = observations.filter((seen) => seen.keyId === keyId);
  const parts: ScoreParts = {
    textScore: candidate.textScore,
    textRank: candidate.textRank,
    textLogOdds: candidate.logOdds,
    affinity: candidate.uses,
    ownEvidence: evidence.own,
    othersEvidence: evidence.others,
    othersCount: evidence.othersCount,
    ...combinedScore(candidate.logOdds + evidence.own + evidence.others, isUp),
    ownAvailability: own.length === observations.length ? isUp : availabilityFor(keyId, own),
    explored: false,
  };
  return { tool: candidate.tool, parts };
}

/** The relevance for its log-odds, the availability, and the total of both. */
export function combinedScore(logOdds: number, isUp: number): Pick<ScoreParts, 'relevance' | 'availability' | 'total'> {
  const relevant = 1 / (1 + Math.exp(-logOdds));
  const total = Math.log(relevant) + availability.weight * Math.log(Math.max(availability.min, isUp));
  return { relevance: relevant, availability: isUp, total };
}

/** The probability that a tool answers a key: its own observations, shrunk towards those of all keys and the prior. */
export function availabilityFor(keyId: string, observations: readonly KeyedObservations[]): number {
  const { prior, priorStrength, othersStrength, observationsPerKeyMax, singleKeyDiscount } = availability;
  let successes = 0;
  let isVouched = false;
  const failures: number[] = [];
  let own: KeyedObservations = { keyId, successes: 0, failures: 0, requestsCount: 0 };
  for (const seen of observations) {
    if (seen.keyId === keyId) {
      own = seen;
      continue;
    }
    const scale = Math.min(1, observationsPerKeyMax / Math.max(seen.successes + seen.failures, Number.MIN_VALUE));
    const weight = weightOf(seen.requestsCount);
    successes += seen.successes * scale * weight;
    isVouched ||= seen.successes > 0 && weight >= relevance.vouchingMin;
    failures.push(seen.failures * scale);
  }
  // One key cannot discredit a tool, nor two one that works for another.
  const discounted = isVouched ? relevance.contradictingKeysMax : 1;
  const most = failures.toSorted((one, other) => other - one).slice(0, discounted);
  const counted = sumOf(failures) - singleKeyDiscount * sumOf(most);
  // Successes of others outweigh failures, but praise nothing above the prior: keys that praise a tool for everything could.
  const observed = (priorStrength * prior + successes) / (priorStrength + successes + counted);
  const global = Math.min(prior, observed);
  return (othersStrength * global + own.successes) / (othersStrength + own.successes + own.failures);
}

/** The probability in [0, 1] that a failure of a tool shown with these parts means that the tool was the wrong choice. */
export function blameOf({
  relevance: right,
  availability: isUp,
}: Pick<ScoreParts, 'relevance' | 'availability'>): number {
  const wrong = (1 - right) * relevance.wrongFails;
  return wrong / (wrong + right * (1 - Math.min(0.97, isUp)));
}

/**
 * If tools were tried for this query and none has succeeded, untried ones take the last place that agents commonly read, in turn.
 * The places before it are not affected.
 */
function withExploration<Ranked extends { parts: ScoreParts }>(
  ranked: Ranked[],
  { recollection }: RankingContext,
): Ranked[] {
  const { outcomesCount } = recollection;
  const hasSuccess = ranked.some(({ parts }) => parts.ownEvidence + parts.othersEvidence > 0);
  const later = ranked.slice(explorationPlace, explorationPlace + explorationDepth);
  if (outcomesCount === 0 || hasSuccess || later.length < 2) return ranked;
  const chosen = later[outcomesCount % later.length];
  if (chosen === undefined || chosen === later[0]) return ranked;
  const rest = ranked.filter((one) => one !== chosen);
  return rest.toSpliced(explorationPlace, 0, { ...chosen, parts: { ...chosen.parts, explored: true } });
}

function clipped(value: number, max: number): number {
  return Math.min(max, Math.max(-max, value));
}
