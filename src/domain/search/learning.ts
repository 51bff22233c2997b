/**
 * The life of a search after its answer: it is put on record, an outcome finds it, the lesson is written with the
 * outcome and then learned. What is in memory can always be rebuilt from what is written.
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

/** A lesson under way: written with the outcome, learned after the commit. */
export interface PendingLesson {
  /** Writes it; the outcome must be written before, in the same transaction. */
  write(tx: Transaction): Promise<void>;
  /** Takes it into memory and tells metrics; does nothing where another process has counted the search already. */
  learn(): void;
}

/** Searches and what is learned from them. */
export interface SearchLearning {
  /** Puts a search on record. Never throws: an answer is not held back because it cannot teach. */
  record(record: SearchRecord): Promise<void>;
  /** What an outcome teaches; undefined where it teaches nothing. Never throws. */
  lessonOf(outcome: ToolOutcome): Promise<PendingLesson | undefined>;
  /** A search as it was recorded; undefined where none is stored under this id. */
  find(searchId: string): Promise<SearchRecord | undefined>;
  /** Learns everything that is written, the oldest first, and from then on what other hubs share; call it once. */
  rebuild(): Promise<void>;
}

/** What it is made of. */
export interface SearchLearningDeps {
  database: Database;
  searchStore: SearchStore;
  memory: OutcomeMemory;
  /** Where hubs share what they learn; undefined where they do not. */
  lessons: LessonVectors | undefined;
  metrics: Metrics;
  log: Log;
}

/** Lessons that a start learns again, the newest ones, and how many are read at once. */
const lessonsRebuiltMax = 200_000;
const pageSize = 5_000;

/** Failures that say nothing about the tool: the agent's own arguments, and the hub's own ends and faults. */
const untelling: ReadonlySet<ToolErrorType> = new Set(['invalid_arguments', 'shutdown', 'internal']);

/** Makes the service. */
export function createSearchLearning(deps: SearchLearningDeps): SearchLearning {
  const { database, searchStore, memory, log } = deps;
  const searchLog = createSearchLog();
  return {
    record: async (record) => {
      searchLog.add(record);
      try {
        await database.transaction((tx) => searchStore.insert(tx, record));
      } catch (error) {
        log.error('A search could not be put on record', { search_id: record.searchId }, { error });
      }
    },
    lessonOf: async (outcome) => {
      if (outcome.errorType !== undefined && untelling.has(outcome.errorType)) return undefined;
      const { searchId } = outcome;
      const isForgotten = searchId !== undefined && !searchLog.has(searchId);
      const stored = isForgotten ? await searchStore.find(searchId).catch(() => undefined) : undefined;
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
