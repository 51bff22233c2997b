/**
 * Learning from tool outcomes: searches are recorded, and outcomes of their results become lessons.
 * The record of an outcome names the search it is credited to, so that the outcome memory can be rebuilt from the audit views.
 */
import { setImmediate } from 'node:timers/promises';
import { settledWithin } from '../../flow/time-limit.ts';
import type { LessonVectors } from '../../search-index/vectors/lesson-vectors.ts';
import type { Lesson, SearchRecord } from '../../shapes/search.ts';
import type { ToolErrorType, ToolOutcome } from '../../shapes/tool.ts';
import type { SearchStore } from '../../stores/search-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { StoredLessons } from './lesson.ts';
import { type Credit, createSearchLog, quotedMsMax, type SearchLog } from './log.ts';
import type { OutcomeMemory } from './outcome-memory.ts';
import type { SearchWriter } from './writer.ts';

/** Records searches and learns from their outcomes. */
export interface SearchLearning {
  /** Records a search in the background. Never throws, since a search is answered even if nothing can be learned from it. */
  record(record: SearchRecord): void;
  /**
   * The search that an outcome is credited to, with the lesson; undefined if it teaches nothing. Each result of a search is
   * credited once. Never throws.
   * @param call `isOwnDeadline`: the call had a deadline of the caller that is shorter than the default. `areArgumentsDoubtful`:
   *   its arguments did not fit the schema of the tool
   */
  credit(
    outcome: ToolOutcome,
    call: { isOwnDeadline: boolean; areArgumentsDoubtful: boolean },
  ): Promise<Credit | undefined>;
  /** Learns a lesson whose outcome is recorded, and counts it. */
  learn(credit: Credit): void;
  /** The recorded search; undefined if none is stored with this id. */
  find(searchId: string): Promise<SearchRecord | undefined>;
  /**
   * Learns the lessons of all stored outcomes, the oldest first, and then those that other hubs share. Resolves when that is
   * done, or after {@link rebuildWaitMs}; it then continues in the background. Call it once.
   */
  rebuild(): Promise<void>;
  /** Stops a rebuild that is in progress. */
  stop(): void;
}

/** Dependencies of the learning. */
export interface SearchLearningDeps {
  searchStore: SearchStore;
  searchWriter: SearchWriter;
  storedLessons: StoredLessons;
  /** Resolves when the views include all records that were appended before the call. */
  viewsReady: () => Promise<void>;
  memory: OutcomeMemory;
  /** The lessons shared between hubs; undefined if they are not shared. */
  lessons: LessonVectors | undefined;
  metrics: Metrics;
  log: Log;
  now: () => number;
}

/** The number of newest lessons that a start learns again, and the number read at a time. */
const lessonsRebuiltMax = 200_000;
const pageSize = 1000;
/** How long a start waits for the lessons, in milliseconds. */
export const rebuildWaitMs = 1000;
/** The most lessons that wait until a rebuild is done. Further ones are learned at the next start. */
const waitingLessonsMax = 10_000;

/** Failures that say nothing about the tool: invalid arguments of the agent, shutdowns and errors of the hub. */
const uninformativeErrors: ReadonlySet<ToolErrorType> = new Set(['invalid_arguments', 'shutdown', 'internal']);

/** Creates the service. */
export function createSearchLearning(deps: SearchLearningDeps): SearchLearning {
  const { searchStore, searchWriter, memory, lessons, metrics } = deps;
  const searchLog = createSearchLog();
  const stopping = new AbortController();
  // Lessons are learned in the order of their outcomes: those of a rebuild come first.
  let waiting: Lesson[] | undefined;
  const find = async (searchId: string) => searchWriter.find(searchId) ?? (await searchStore.find(searchId));
  return {
    record: (record) => {
      searchLog.add(record);
      searchWriter.add(record);
    },
    credit: async (outcome, { isOwnDeadline, areArgumentsDoubtful }) => {
      if (outcome.errorType !== undefined && uninformativeErrors.has(outcome.errorType)) return undefined;
      // A deadline that the caller chose is a fact about the caller: with 1 ms, every tool times out.
      if (outcome.outcome === 'timeout' && isOwnDeadline) return undefined;
      // The arguments are probably why it failed.
      if (outcome.outcome === 'error' && areArgumentsDoubtful) return undefined;
      const { searchId } = outcome;
      const mustLoad = searchId !== undefined && !searchLog.has(searchId);
      const stored = mustLoad ? await find(searchId).catch(() => undefined) : undefined;
      return searchLog.credit(outcome, stored);
    },
    learn: ({ lesson, isFirst, source, place }) => {
      if (waiting === undefined) memory.learn(lesson);
      else if (waiting.length < waitingLessonsMax) waiting.push(lesson);
      lessons?.share(lesson.callId);
      if (isFirst) metrics.searchFollowed(source, place);
    },
    find,
    rebuild: async () => {
      // Without a search there is no lesson, and a first start does not wait for the views.
      if (await searchStore.isEmpty()) return lessons?.follow(memory.learn);
      waiting = [];
      const rebuilding = rebuild(deps, searchLog, stopping.signal).then((learned) => {
        for (const lesson of waiting ?? []) if (!learned.has(lessonKey(lesson))) memory.learn(lesson);
        waiting = undefined;
        if (!stopping.signal.aborted) lessons?.follow(memory.learn);
      });
      await settledWithin(rebuildWaitMs, rebuilding);
    },
    stop: () => stopping.abort(),
  };
}

/** Returns the keys of what was learned. Never throws: what cannot be read is not learned, which is logged. */
async function rebuild(
  { storedLessons, viewsReady, memory, log, now }: SearchLearningDeps,
  searchLog: SearchLog,
  stopping: AbortSignal,
): Promise<ReadonlySet<string>> {
  const learned = new Set<string>();
  let after: number | undefined;
  try {
    await viewsReady();
    memory.clear();
    do {
      const page = await storedLessons.page({ after, limit: pageSize, newestMax: lessonsRebuiltMax });
      for (const lesson of page.lessons) {
        const key = lessonKey(lesson);
        if (learned.has(key)) continue;
        learned.add(key);
        memory.learn(lesson);
        // Only searches that can still be quoted can be credited again.
        if (now() - lesson.recordedAt <= quotedMsMax) searchLog.restore(lesson);
      }
      after = page.after;
      await setImmediate();
    } while (after !== undefined && !stopping.aborted);
  } catch (error) {
    if (!stopping.aborted) log.error('The lessons of earlier searches could not be read', {}, { error });
  }
  return learned;
}

function lessonKey({ searchId, serverId, toolName }: Lesson): string {
  return `${searchId} ${serverId}\n${toolName}`;
}
