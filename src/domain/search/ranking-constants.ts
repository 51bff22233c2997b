/** The constants of the ranking, with their reasons. docs/search.md has the formulas and measurements. */

/** Converts the text score to the log-odds of being the right tool. */
export const textOdds = {
  /**
   * Fitted by a listwise softmax over labelled queries. With the score `s` in (0, 1] and the rank `r` from 0, the log-odds are
   * scale * (linear * s + cubic * s^3 - rank * ln(r + 1) + constant) + shift. Without evidence the first result is right in
   * about half of all searches, which corresponds to log-odds of 0.
   */
  linear: 2.7,
  cubic: 1.4,
  rank: 0.56,
  constant: -4.1,
  scale: 0.6,
  shift: 0.2,
  /** The log-odds of a tool from the outcome memory that the text did not find. It is rarely right without further evidence. */
  unfound: -4,
} as const;

/** The evidence of outcomes of the same query about a tool, in log-odds. */
export const relevance = {
  /** A success is strong evidence, since agents rarely succeed with a wrong tool. */
  success: 2.5,
  /** The caller abandoned the call, presumably because the tool was wrong. */
  abandoned: -2.5,
  /** A failure counts against the tool in proportion to the probability that it was the wrong one. */
  error: -0.5,
  timeout: -0.2,
  /** The share of earlier evidence that is kept at each further outcome. */
  carried: 0.9,
  /** The limit of an agent's own evidence: odds of 55 to 1. */
  ownMax: 4,
  /** The limits of the evidence of one other key and of all others together, which may be wrong or dishonest. */
  otherMax: 1,
  othersMax: 2.5,
  /** The number of other keys that are not believed when they speak against a tool with which another key has succeeded. */
  contradictingKeysMax: 2,
  /** The number of queries for which one key's evidence about one tool has full weight. Beyond it, the weight falls as 1 / n². */
  requestsPerToolMax: 20,
  /**
   * The least weight with which another key vouches for a tool. A key with outcomes of one tool for more than 89 queries vouches
   * for none of them: it could keep a tool that fails for all others from losing its place.
   */
  vouchingMin: 0.05,
  halfLifeMs: 30 * 86_400_000,
  /** The share of failures of available tools that are explained by the wrong choice of a tool. */
  wrongFails: 0.45,
} as const;

/** The probability that a tool answers this agent now. */
export const availability = {
  /** The probability without any observation. */
  prior: 0.9,
  /** The weight of the prior, and that of all other keys relative to the agent's own, in observations. */
  priorStrength: 3,
  othersStrength: 2,
  /** The most observations that count of each other key, however often it called. */
  observationsPerKeyMax: 1,
  /** The share of the failures of the key with the most that is discounted, so that one key cannot discredit a tool. The same of a second key, if the tool works for another. */
  singleKeyDiscount: 0.75,
  /** The share of earlier observations that is kept at each further outcome of the key, so that a fault shows in a few calls. */
  carried: 0.85,
  /**
   * Observations of others age quickly, since faults are repaired. The agent's own observations last longer: missing permissions
   * rarely change, and its next call corrects what has changed.
   */
  othersHalfLifeMs: 3 * 86_400_000,
  ownHalfLifeMs: 30 * 86_400_000,
  /** The latency from which a success counts partly as a failure, the one at which this share is highest, and that share. */
  slowFromMs: 2_000,
  slowToMs: 10_000,
  slowShare: 0.3,
  /** The exponent of availability relative to relevance. */
  weight: 1.75,
  min: 0.02,
} as const;

/** How much an agent's habit raises the text score of a tool. */
export const affinity = {
  lift: 0.25,
  /** The number of uses with half of the maximal lift. */
  half: 2,
  carried: 0.98,
  failure: -0.5,
} as const;

/** Prompts and resources beside tools, where a search is for all of them. */
export const offers = {
  /** Their text score relative to that of a tool that fits as well: a search is mostly for a tool. */
  weight: 0.5,
  /** The exponent of the ratio of their quality to that of the best tool, as that of the joint score of words and meaning. */
  exponent: 1.5,
  /** The most that are ranked beside tools, so that a server with many resources does not crowd them out. */
  besideToolsMax: 3,
} as const;

/** The number of tools found by text that are ranked. */
export const candidatesMax = 100;
/** The place from 0 that an untried tool may take: the last one that agents commonly read. */
export const explorationPlace = 4;
/** The number of untried tools that take that place in turn. */
export const explorationDepth = 10;

/** The limits of the outcome memory. Beyond them the least recently used entries are evicted. */
export const memoryLimits = {
  requestsMax: 20_000,
  toolsPerRequestMax: 50,
  keysPerToolMax: 32,
  toolsMax: 20_000,
  keysMax: 10_000,
  toolsPerKeyMax: 2_000,
} as const;
