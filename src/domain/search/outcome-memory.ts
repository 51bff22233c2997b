/**
 * The outcome memory: successes of tools by query and key, their availability and their use.
 * It is bounded, separate for each namespace, and rebuilt from the stored lessons at start.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { type ToolKey, toolKeyText } from '../../search-index/tool-index.ts';
import type { Lesson } from '../../shapes/search.ts';
import { affinity, availability, memoryLimits, relevance } from './ranking-constants.ts';

/** The evidence of one key's outcomes of one query about a tool. */
export interface KeyedEvidence {
  keyId: string;
  /** Log-odds, decayed to the time of the search, as they count for this key. */
  value: number;
  /** The same as it counts for other keys: without calls that this key abandoned, which say nothing about the tool. */
  sharedValue: number;
  /** The number of queries for which this key has evidence about this tool. */
  requestsCount: number;
}

/** The successful and failed calls of one key to a tool, decayed. */
export interface KeyedObservations {
  keyId: string;
  successes: number;
  failures: number;
  /** The number of queries for which this key has evidence about this tool. */
  requestsCount: number;
}

/** What the memory contains about one search. Tool keys are those of {@link toolKeyText}. */
export interface Recollection {
  /** The tools with outcomes of this query. */
  evidence: ReadonlyMap<string, { tool: ToolKey; byKey: readonly KeyedEvidence[] }>;
  /** The number of outcomes of this query that were learned. */
  outcomesCount: number;
  observations(toolKey: string): readonly KeyedObservations[];
  /** The key's uses of the tool, decayed with each further use of any tool; 0 or more. */
  uses(toolKey: string): number;
}

/** The memory. All methods are synchronous and take microseconds. */
export interface OutcomeMemory {
  /** Learns one outcome. The caller ensures that each is learned once. */
  learn(lesson: Lesson): void;
  /** Looks up a query of a key, at a time in Unix milliseconds. */
  recall(search: { namespace: string; keyId: string; queryKey: string | undefined; at: number }): Recollection;
  /** Removes everything, for a rebuild. */
  clear(): void;
}

interface Opinion {
  value: number;
  sharedValue: number;
  at: number;
}
interface RememberedTool {
  tool: ToolKey;
  byKey: BoundedMap<string, Opinion>;
}
interface RememberedRequest {
  tools: BoundedMap<string, RememberedTool>;
  outcomesCount: number;
}
interface Observed {
  successes: number;
  failures: number;
  at: number;
}
interface State {
  requests: BoundedMap<string, RememberedRequest>;
  observed: BoundedMap<string, BoundedMap<string, Observed>>;
  uses: BoundedMap<string, BoundedMap<string, number>>;
  /** The number of queries for which a key has an opinion of a tool, by namespace and tool, and then by key. */
  opinions: Map<string, Map<string, number>>;
}

/** Creates an empty memory. */
export function createOutcomeMemory(): OutcomeMemory {
  const state: State = {
    requests: new BoundedMap(memoryLimits.requestsMax),
    observed: new BoundedMap(memoryLimits.toolsMax),
    uses: new BoundedMap(memoryLimits.keysMax),
    opinions: new Map(),
  };
  return {
    learn: (lesson) => {
      const tool = { serverId: lesson.serverId, toolName: lesson.toolName, namespace: lesson.toolNamespace };
      const toolKey = toolKeyText(tool);
      learnRelevance(state, lesson, tool, toolKey);
      learnAvailability(state, lesson, toolKey);
      learnUse(state, lesson, toolKey);
    },
    recall: (search) => recall(state, search),
    clear: () => {
      for (const part of Object.values(state)) part.clear();
    },
  };
}

function learnRelevance(state: State, lesson: Lesson, tool: ToolKey, toolKey: string): void {
  const { namespace, keyId, queryKey, recordedAt } = lesson;
  const change = relevanceChange(lesson);
  if (queryKey === undefined || change === 0) return;
  const request = state.requests.get(scoped(namespace, queryKey)) ?? {
    tools: new BoundedMap(memoryLimits.toolsPerRequestMax),
    outcomesCount: 0,
  };
  request.outcomesCount += 1;
  const remembered = request.tools.get(toolKey) ?? {
    tool,
    byKey: new BoundedMap<string, Opinion>(memoryLimits.keysPerToolMax),
  };
  const before = remembered.byKey.get(keyId);
  if (before === undefined) countOpinion(state, { namespace, toolKey, keyId }, 1);
  const kept = before === undefined ? 0 : decayed(1, recordedAt - before.at, relevance.halfLifeMs);
  const updated = (value: number) => clipped(relevance.carried * kept * value + change, relevance.ownMax);
  const { value, sharedValue } = before ?? { value: 0, sharedValue: 0 };
  const opinion = {
    value: updated(value),
    sharedValue: lesson.outcome === 'abandoned' ? kept * sharedValue : updated(sharedValue),
    at: recordedAt,
  };
  const [evictedKey] = remembered.byKey.set(keyId, opinion) ?? [];
  if (evictedKey !== undefined) countOpinion(state, { namespace, toolKey, keyId: evictedKey }, -1);
  const [, evictedTool] = request.tools.set(toolKey, remembered) ?? [];
  if (evictedTool !== undefined) forgetOpinions(state, namespace, evictedTool);
  const [, evictedRequest] = state.requests.set(scoped(namespace, queryKey), request) ?? [];
  for (const [, each] of evictedRequest?.tools ?? []) forgetOpinions(state, namespace, each);
}

function forgetOpinions(state: State, namespace: string, { tool, byKey }: RememberedTool): void {
  const toolKey = toolKeyText(tool);
  for (const [keyId] of byKey) countOpinion(state, { namespace, toolKey, keyId }, -1);
}

function relevanceChange({ outcome, blame }: Lesson): number {
  switch (outcome) {
    case 'success':
      return relevance.success;
    case 'abandoned':
      return relevance.abandoned;
    case 'error':
      return relevance.error * blame;
    case 'timeout':
      return relevance.timeout * blame;
    default:
      return outcome satisfies never;
  }
}

function learnAvailability(state: State, lesson: Lesson, toolKey: string): void {
  const { outcome, blame, latencyMs, namespace, keyId, recordedAt } = lesson;
  if (outcome === 'abandoned') return;
  const tool =
    state.observed.get(scoped(namespace, toolKey)) ?? new BoundedMap<string, Observed>(memoryLimits.keysPerToolMax);
  const before = tool.get(keyId) ?? { successes: 0, failures: 0, at: recordedAt };
  const kept = availability.carried * decayed(1, recordedAt - before.at, availability.ownHalfLifeMs);
  const slow = slowness(latencyMs);
  const after = {
    successes: before.successes * kept + (outcome === 'success' ? 1 - slow : 0),
    failures: before.failures * kept + (outcome === 'success' ? slow : 1 - blame),
    at: recordedAt,
  };
  tool.set(keyId, after);
  state.observed.set(scoped(namespace, toolKey), tool);
}

function slowness(latencyMs: number): number {
  const { slowFromMs, slowToMs, slowShare } = availability;
  return slowShare * Math.min(1, Math.max(0, (latencyMs - slowFromMs) / (slowToMs - slowFromMs)));
}

function learnUse(state: State, { outcome, namespace, keyId }: Lesson, toolKey: string): void {
  const used = state.uses.get(scoped(namespace, keyId)) ?? new BoundedMap<string, number>(memoryLimits.toolsPerKeyMax);
  const change = outcome === 'success' ? 1 : affinity.failure;
  used.set(toolKey, Math.max(0, affinity.carried * (used.get(toolKey) ?? 0) + change));
  state.uses.set(scoped(namespace, keyId), used);
}

function recall(
  state: State,
  { namespace, keyId, queryKey, at }: { namespace: string; keyId: string; queryKey: string | undefined; at: number },
): Recollection {
  const request = queryKey === undefined ? undefined : state.requests.get(scoped(namespace, queryKey));
  const evidence = new Map<string, { tool: ToolKey; byKey: KeyedEvidence[] }>();
  for (const [toolKey, { tool, byKey }] of request?.tools ?? []) {
    const opinions = state.opinions.get(scoped(namespace, toolKey));
    const evidenceByKey = [...byKey].map(([key, opinion]) => ({
      keyId: key,
      value: decayed(opinion.value, at - opinion.at, relevance.halfLifeMs),
      sharedValue: decayed(opinion.sharedValue, at - opinion.at, relevance.halfLifeMs),
      requestsCount: opinions?.get(key) ?? 1,
    }));
    evidence.set(toolKey, { tool, byKey: evidenceByKey });
  }
  const used = state.uses.get(scoped(namespace, keyId));
  return {
    evidence,
    outcomesCount: request?.outcomesCount ?? 0,
    observations: (toolKey) => {
      const { ownHalfLifeMs, othersHalfLifeMs } = availability;
      const scopedKey = scoped(namespace, toolKey);
      const opinions = state.opinions.get(scopedKey);
      return [...(state.observed.get(scopedKey) ?? [])].map(([key, seen]) => {
        const kept = decayed(1, at - seen.at, key === keyId ? ownHalfLifeMs : othersHalfLifeMs);
        const requestsCount = opinions?.get(key) ?? 0;
        return { keyId: key, successes: seen.successes * kept, failures: seen.failures * kept, requestsCount };
      });
    },
    uses: (toolKey) => used?.get(toolKey) ?? 0,
  };
}

function countOpinion(
  { opinions }: State,
  { namespace, toolKey, keyId }: { namespace: string; toolKey: string; keyId: string },
  change: number,
): void {
  const scopedKey = scoped(namespace, toolKey);
  const byKey = opinions.get(scopedKey) ?? new Map<string, number>();
  const after = (byKey.get(keyId) ?? 0) + change;
  if (after <= 0) byKey.delete(keyId);
  else byKey.set(keyId, after);
  if (byKey.size === 0) opinions.delete(scopedKey);
  else opinions.set(scopedKey, byKey);
}

function scoped(...parts: string[]): string {
  return parts.join('\u0000');
}

function decayed(value: number, ageMs: number, halfLifeMs: number): number {
  return value * 0.5 ** (Math.max(0, ageMs) / halfLifeMs);
}

function clipped(value: number, max: number): number {
  return Math.min(max, Math.max(-max, value));
}
