/** Every constant of the ranking that learns, with its reason. docs/search.md has the formulas and the measurements. */

/** Text to log-odds of being the right tool. */
export const textOdds = {
  /**
   * Fitted by a listwise softmax over labelled requests: with `s` the score in (0, 1] and `rank` from 0,
   * scale * (linear * s + cubic * s^3 - rank * ln(rank + 1) + constant) + shift. The first of a search without evidence is
   * right in about half of all cases, which is what 0 log-odds say.
   */
  linear: 2.7,
  cubic: 1.4,
  rank: 0.56,
  constant: -4.1,
  scale: 0.6,
  shift: 0.2,
  /** A tool that was remembered and not found by the text: rarely right, unless the evidence says otherwise. */
  unfound: -4,
} as const;

/** What outcomes of this very request say about a tool, in log-odds. */
export const relevance = {
  /** A success is strong evidence: agents that succeed with a wrong tool are few. */
  success: 2.5,
  /** The caller turned away: it found the tool wrong. */
  abandoned: -2.5,
  /** A failure speaks against the tool only as far as it was likely to be the wrong one. */
  error: -0.5,
  timeout: -0.2,
  /** What was known before counts a little less after each further outcome. */
  carried: 0.9,
  /** An agent's own evidence never says more than this: 55 to 1. */
  ownMax: 4,
  /** One other key, and all others together: they may err or lie. */
  otherMax: 1,
  othersMax: 2.5,
  /** Requests for which one key may praise or blame one tool at full weight; beyond them its word is thinned out. */
  requestsPerToolMax: 20,
  halfLifeMs: 30 * 86_400_000,
  /** Of the failures of tools that are up, the share that a wrong choice of tool explains. */
  wrongFails: 0.45,
} as const;

/** Whether a tool answers at all, for this agent, now. */
export const availability = {
  /** Before anything is known: calls succeed. */
  prior: 0.9,
  /** Observations that the prior counts for, and that all others count for beside an agent's own. */
  priorStrength: 3,
  othersStrength: 2,
  /** Each other key counts for one observation at most, however often it called. */
  observationsPerKeyMax: 1,
  /** The share of the loudest key's failures that is taken from others' failures: one key's word takes nobody down. */
  lonelyFailureShare: 0.75,
  /** Kept of what was known at each further outcome of the key, so that a fault is noticed within a few calls. */
  carried: 0.85,
  /**
   * What others saw is soon old: faults are mended. What the agent saw itself lasts longer: what it may not use, it will
   * not be allowed tomorrow, and its next call corrects what is no longer true.
   */
  othersHalfLifeMs: 3 * 86_400_000,
  ownHalfLifeMs: 30 * 86_400_000,
  /** Latency from which a success counts partly as a failure, and where that share is whole. */
  slowFromMs: 2_000,
  slowToMs: 10_000,
  slowShare: 0.3,
  /** How much being down weighs against being right. */
  weight: 1.75,
  min: 0.02,
} as const;

/** How much an agent's habit lifts a tool before anything else is asked. */
export const affinity = {
  lift: 0.25,
  /** Uses at which half of the lift is reached. */
  half: 2,
  carried: 0.98,
  failure: -0.5,
} as const;

/** Candidates of the text that are ranked. */
export const candidatesMax = 100;
/** The place that an untried tool may take, from 0: the last one that agents commonly read. */
export const explorationPlace = 4;
/** Untried candidates that take that place in turn. */
export const explorationDepth = 10;

/** What the memory holds. Beyond it, what was not touched for longest is forgotten. */
export const memoryLimits = {
  requestsMax: 20_000,
  toolsPerRequestMax: 50,
  keysPerToolMax: 32,
  toolsMax: 20_000,
  keysMax: 10_000,
  toolsPerKeyMax: 2_000,
} as const;
