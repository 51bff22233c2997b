/** Lessons of stored outcomes, each derived from an outcome and the search that it was credited to. */
import type { Lesson, LessonText, SearchRecord, ShownTool } from '../../shapes/search.ts';
import type { ToolOutcome } from '../../shapes/tool.ts';
import type { SearchedTool, SearchStore } from '../../stores/search-store.ts';
import type { AuditViews } from '../../stores/views/audit-views.ts';
import type { RecordedOutcome } from '../../stores/views/recorded-outcome.ts';
import type { OutcomePage } from '../../stores/views/view-queries.ts';
import { blameOf } from './ranking.ts';

/** Reads lessons. All methods throw HestiaError STORAGE_FAILED or VIEWS_UNAVAILABLE. */
export interface StoredLessons {
  /** A page of lessons in the order of their outcomes, and the position after it; undefined after the last page. */
  page(page: OutcomePage): Promise<{ lessons: Lesson[]; after: number | undefined }>;
  /** The lessons of these calls with their queries. Those whose outcome or search is not stored are missing. */
  lessonTexts(callIds: readonly string[]): Promise<LessonText[]>;
  /** The call ids of the newest lessons, at most `limit`. */
  newestLessons(limit: number): Promise<string[]>;
}

/** Dependencies of the lessons. */
export interface StoredLessonsDeps {
  views: Pick<AuditViews, 'findOutcomeWithSearch' | 'outcomesWithSearch'>;
  searchStore: Pick<SearchStore, 'findShown'>;
}

/** Creates the reader of stored lessons. */
export function createStoredLessons({ views, searchStore }: StoredLessonsDeps): StoredLessons {
  const textsOf = async (recorded: readonly RecordedOutcome[]): Promise<LessonText[]> => {
    const found = new Map(
      (await searchStore.findShown(recorded.map(searchedTool))).map((each) => [key({ ...each, ...each.shown }), each]),
    );
    return recorded.flatMap((each) => {
      const search = found.get(key(searchedTool(each)));
      return search ? [{ lesson: lessonOf(search, search.shown, each.outcome), query: search.query }] : [];
    });
  };
  return {
    page: async (page) => {
      const recorded = await views.outcomesWithSearch(page);
      const lessons = (await textsOf(recorded)).map(({ lesson }) => lesson);
      return { lessons, after: recorded.length < page.limit ? undefined : recorded.at(-1)?.seq };
    },
    lessonTexts: async (callIds) => {
      const recorded = await Promise.all(callIds.map((callId) => views.findOutcomeWithSearch(callId)));
      return textsOf(recorded.filter((each) => each !== undefined));
    },
    newestLessons: async (limit) => {
      const recorded = await views.outcomesWithSearch({ after: undefined, limit, newestMax: limit });
      return recorded.map(({ outcome }) => outcome.callId);
    },
  };
}

/** The lesson of an outcome whose tool was shown by a search. */
export function lessonOf(
  { searchId, queryKey }: Pick<SearchRecord, 'searchId' | 'queryKey'>,
  shown: ShownTool,
  outcome: ToolOutcome,
): Lesson {
  const { callId, namespace, keyId, serverId, toolName, latencyMs, recordedAt } = outcome;
  return {
    callId,
    searchId,
    namespace,
    keyId,
    ...(queryKey !== undefined && { queryKey }),
    serverId,
    toolName,
    ...(shown.namespace !== undefined && { toolNamespace: shown.namespace }),
    outcome: outcome.outcome,
    latencyMs,
    blame: blameOf(shown.parts),
    recordedAt,
  };
}

function searchedTool({ outcome, creditedSearchId }: RecordedOutcome): SearchedTool {
  const { serverId, toolName } = outcome;
  return { searchId: creditedSearchId, serverId, toolName };
}

function key({ searchId, serverId, toolName }: SearchedTool): string {
  return `${searchId} ${serverId}\n${toolName}`;
}
