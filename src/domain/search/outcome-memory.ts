/**
 * What outcomes have taught, in memory: which tool served which request for which key, whether tools answer, and what
 * each key uses. Bounded; built anew from the stored lessons at start. Knows nothing across namespaces.
 */

import { type ToolKey, toolKeyText } from '../../search-index/tool-index.ts';
import type { Lesson } from '../../shapes/search.ts';
import { affinity, availability, memoryLimits, relevance } from './ranking-constants.ts';

/** What one key's outcomes of one request say about a tool. */
export interface KeyedEvidence {
  keyId: string;
  /** Log-odds, decayed to the moment asked for. */
  value: number;
  /** Requests for which this key has said anything about this tool. */
  requestsCount: number;
}

/** What one key saw of a tool, in observations, decayed. */
export interface KeyedObservations {
  keyId: string;
  successes: number;
  failures: number;
}

/** What is remembered for one search. Keys are those of {@link toolKeyText}. */
export interface Recollection {
  /** Tools with outcomes of this request. */
  evidence: ReadonlyMap<string, { tool: ToolKey; byKey: readonly KeyedEvidence[] }>;
  /** Outcomes of this request that were learned from. */
  outcomesCount: number;
  observations(toolKey: string): readonly KeyedObservations[];
  /** Uses of the tool by the key, decayed with each further use of anything; 0 or more. */
  uses(toolKey: string): number;
}

/** The memory. All of it is synchronous and takes microseconds. */
export interface OutcomeMemory {
  /** Takes one outcome in; the caller sees to it that each comes once. */
  learn(lesson: Lesson): void;
  /** What is remembered for a request of a key, at a time in Unix milliseconds. */
  recall(search: { namespace: string; keyId: string; queryKey: string | undefined; at: number }): Recollection;
  /** Forgets everything, for a rebuild. */
  clear(): void;
}

interface Opinion {
  value: number;
  at: number;
}
interface RememberedTool {
  tool: ToolKey;
  byKey: Map<string, Opinion>;
}
interface RememberedRequest {
  tools: Map<string, RememberedTool>;
  outcomesCount: number;
}
interface Observed {
  successes: number;
  failures: number;
  at: number;
}
interface State {
  requests: Map<string, RememberedRequest>;
  observed: Map<string, Map<string, Observed>>;
  uses: Map<string, Map<string, number>>;
  /** By namespace, key and tool: for how many requests the key has an opinion of the tool. */
  opinions: Map<string, number>;
}

/** Makes an empty memory. */
export function createOutcomeMemory(): OutcomeMemory {
  const state: State = { requests: new Map(), observed: new Map(), uses: new Map(), opinions: new Map() };
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
  const request = state.requests.get(scoped(namespace, queryKey)) ?? { tools: new Map(), outcomesCount: 0 };
  request.outcomesCount += 1;
  const remembered = request.tools.get(toolKey) ?? { tool, byKey: new Map<string, Opinion>() };
  const before = remembered.byKey.get(keyId);
  if (before === undefined) count(state.opinions, scoped(namespace, keyId, toolKey), 1);
  const carried = before === undefined ? 0 : decayed(before.value, recordedAt - before.at, relevance.halfLifeMs);
  const value = clipped(relevance.carried * carried + change, relevance.ownMax);
  const forget = (gone: RememberedTool) => forgetOpinions(state, namespace, gone);
  touch(remembered.byKey, keyId, { value, at: recordedAt }, memoryLimits.keysPerToolMax, (_opinion, key) =>
    count(state.opinions, scoped(namespace, key, toolKey), -1),
  );
  touch(request.tools, toolKey, remembered, memoryLimits.toolsPerRequestMax, forget);
  touch(state.requests, scoped(namespace, queryKey), request, memoryLimits.requestsMax, (gone) => {
    for (const each of gone.tools.values()) forget(each);
  });
}

function forgetOpinions(state: State, namespace: string, { tool, byKey }: RememberedTool): void {
  for (const keyId of byKey.keys()) count(state.opinions, scoped(namespace, keyId, toolKeyText(tool)), -1);
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
  const tool = state.observed.get(scoped(namespace, toolKey)) ?? new Map<string, Observed>();
  const before = tool.get(keyId) ?? { successes: 0, failures: 0, at: recordedAt };
  const kept = availability.carried * decayed(1, recordedAt - before.at, availability.ownHalfLifeMs);
  const slow = slowness(latencyMs);
  const after = {
    successes: before.successes * kept + (outcome === 'success' ? 1 - slow : 0),
    failures: before.failures * kept + (outcome === 'success' ? slow : 1 - blame),
    at: recordedAt,
  };
  touch(tool, keyId, after, memoryLimits.keysPerToolMax);
  touch(state.observed, scoped(namespace, toolKey), tool, memoryLimits.toolsMax);
}

function slowness(latencyMs: number): number {
  const { slowFromMs, slowToMs, slowShare } = availability;
  return slowShare * Math.min(1, Math.max(0, (latencyMs - slowFromMs) / (slowToMs - slowFromMs)));
}

function learnUse(state: State, { outcome, namespace, keyId }: Lesson, toolKey: string): void {
  const used = state.uses.get(scoped(namespace, keyId)) ?? new Map<string, number>();
  const change = outcome === 'success' ? 1 : affinity.failure;
  touch(used, toolKey, Math.max(0, affinity.carried * (used.get(toolKey) ?? 0) + change), memoryLimits.toolsPerKeyMax);
  touch(state.uses, scoped(namespace, keyId), used, memoryLimits.keysMax);
}

function recall(
  state: State,
  { namespace, keyId, queryKey, at }: { namespace: string; keyId: string; queryKey: string | undefined; at: number },
): Recollection {
  const request = queryKey === undefined ? undefined : state.requests.get(scoped(namespace, queryKey));
  const evidence = new Map<string, { tool: ToolKey; byKey: KeyedEvidence[] }>();
  for (const [toolKey, { tool, byKey }] of request?.tools ?? []) {
    const opinions = [...byKey].map(([key, opinion]) => ({
      keyId: key,
      value: decayed(opinion.value, at - opinion.at, relevance.halfLifeMs),
      requestsCount: state.opinions.get(scoped(namespace, key, toolKey)) ?? 1,
    }));
    evidence.set(toolKey, { tool, byKey: opinions });
  }
  const used = state.uses.get(scoped(namespace, keyId));
  return {
    evidence,
    outcomesCount: request?.outcomesCount ?? 0,
    observations: (toolKey) =>
      [...(state.observed.get(scoped(namespace, toolKey)) ?? [])].map(([key, seen]) => {
        const { ownHalfLifeMs, othersHalfLifeMs } = availability;
        const kept = decayed(1, at - seen.at, key === keyId ? ownHalfLifeMs : othersHalfLifeMs);
        return { keyId: key, successes: seen.successes * kept, failures: seen.failures * kept };
      }),
    uses: (toolKey) => used?.get(toolKey) ?? 0,
  };
}

/** Sets an entry as the most recent one, and forgets the least recent beyond `max`. */
function touch<Value>(
  entries: Map<string, Value>,
  key: string,
  value: Value,
  max: number,
  onForget?: (value: Value, key: string) => void,
): void {
  entries.delete(key);
  entries.set(key, value);
  if (entries.size <= max) return;
  for (const [oldest, gone] of entries) {
    entries.delete(oldest);
    onForget?.(gone, oldest);
    return;
  }
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after <= 0) counts.delete(key);
  else counts.set(key, after);
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
