/**
 * Learning from tool outcomes: searches are recorded, and outcomes of their results become lessons.
 * A lesson is written in the transaction of its outcome and then added to the outcome memory, which can be rebuilt from the
 * stored lessons.
 */
import { setImmediate } from 'node:timers/promises';
import type { LessonVectors } from '../../search-index/vectors/lesson-vectors.ts';
import type { SearchRecord } from '../../shapes/search.ts';
import type { ToolErrorType, ToolOutcome } from '../../shapes/tool.ts';
import type { Database, Transaction } from '../../stores/database.ts';
import type { SearchStore } from '../../stores/search-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type Credit, createSearchLog } from './log.ts';
import type { OutcomeMemory } from './outcome-memory.ts';

/** A lesson to be written with its outcome and learned after the commit. */
export interface PendingLesson {
  /** Writes the lesson. The outcome must be written before, in the same transaction. */
  write(tx: Transaction): Promise<void>;
  /** Adds the lesson to the memory and the metrics. Does nothing if another process has written a lesson of the search. */
  learn(): void;
}

/** Records searches and learns from their outcomes. */
export interface SearchLearning {
  /** Records a search. Never throws, since a search is answered even if nothing can be learned from it. */
  record(record: SearchRecord): Promise<void>;
  /**
   * The lesson of an outcome; undefined if there is none. Never throws.
   * @param call `isOwnDeadline`: the call had a deadline of the caller that is shorter than the default. `areArgumentsDoubtful`:
   *   its arguments did not fit the schema of the tool
   */
  lessonOf(
    outcome: ToolOutcome,
    call: { isOwnDeadline: boolean; areArgumentsDoubtful: boolean },
  ): Promise<PendingLesson | undefined>;
  /** The recorded search; undefined if none is stored with this id. */
  find(searchId: string): Promise<SearchRecord | undefined>;
  /** Learns all stored lessons, the oldest first, and then those that other hubs share. Call it once. */
  rebuild(): Promise<void>;
}

/** Dependencies of the learning. */
export interface SearchLearningDeps {
  database: Database;
  searchStore: SearchStore;
  memory: OutcomeMemory;
  /** The lessons shared between hubs; undefined if they are not shared. */
  lessons: LessonVectors | undefined;
  metrics: Metrics;
  log: Log;
}

/** The number of newest lessons that a start learns again, and the number read at a time. */
const lessonsRebuiltMax = 200_000;
const pageSize = 5_000;

/** Failures that say nothing about the tool: invalid arguments of the agent, shutdowns and errors of the hub. */
const uninformativeErrors: ReadonlySet<ToolErrorType> = new Set(['invalid_arguments', 'shutdown', 'internal']);

/** Creates the service. */
export function createSearchLearning(deps: SearchLearningDeps): SearchLearning {
  const { database, searchStore, memory, log } = deps;
  const searchLog = createSearchLog();
  return {
    record: async (record) => {
      searchLog.add(record);
      try {
        await database.transaction((tx) => searchStore.insert(tx, record));
      } catch (error) {
        log.error('A search could not be recorded', { search_id: record.searchId }, { error });
      }
    },
    lessonOf: async (outcome, { isOwnDeadline, areArgumentsDoubtful }) => {
      if (outcome.errorType !== undefined && uninformativeErrors.has(outcome.errorType)) return undefined;
      // A deadline that the caller chose is a fact about the caller: with 1 ms, every tool times out.
      if (outcome.outcome === 'timeout' && isOwnDeadline) return undefined;
      // The arguments are probably why it failed.
      if (outcome.outcome === 'error' && areArgumentsDoubtful) return undefined;
      const { searchId } = outcome;
      const mustLoad = searchId !== undefined && !searchLog.has(searchId);
      const stored = mustLoad ? await searchStore.find(searchId).catch(() => undefined) : undefined;
      const credit = searchLog.credit(outcome, stored);
      return credit && pendingLesson(deps, credit);
    },
    find: (searchId) => searchStore.find(searchId),
    rebuild: async () => {
      memory.clear();
      let after: number | undefined;
      while (true) {
        const page = await searchStore.lessons({ after, limit: pageSize, newestMax: lessonsRebuiltMax });
        for (const { lesson } of page) memory.learn(lesson);
        after = page.at(-1)?.position;
        if (page.length < pageSize) break;
        await setImmediate();
      }
      deps.lessons?.follow(memory.learn);
    },
  };
}

function pendingLesson({ searchStore, memory, lessons, metrics }: SearchLearningDeps, credit: Credit): PendingLesson {
  let isNew = false;
  return {
    write: async (tx) => {
      isNew = await searchStore.insertLesson(tx, credit.lesson);
    },
    learn: () => {
      if (!isNew) return;
      memory.learn(credit.lesson);
      lessons?.share(credit.lesson.callId);
      if (credit.isFirst) metrics.searchFollowed(credit.source, credit.place);
    },
  };
}
