/**
 * The in-memory log of recent searches, which attributes a tool outcome to the search that led to it.
 * An outcome counts once, and only for a search that showed the tool to the same key. The log is bounded; the search store keeps
 * searches for longer.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { Lesson, SearchRecord, ShownTool } from '../../shapes/search.ts';
import type { ToolOutcome } from '../../shapes/tool.ts';
import { lessonOf } from './lesson.ts';

/** A lesson with the rank of the tool in its search, from 1, and whether it is the first call that the search led to. */
export interface Credit {
  lesson: Lesson;
  place: number;
  isFirst: boolean;
  source: string;
}

/** The log. */
export interface SearchLog {
  add(record: SearchRecord): void;
  /** The lesson of an outcome; undefined if no search showed the tool to this key, or it was counted already. */
  credit(outcome: ToolOutcome, record?: SearchRecord): Credit | undefined;
  /** Whether the log contains the search. */
  has(searchId: string): boolean;
  /** Restores that a search was credited with an outcome of a tool, so that it is not credited again. */
  restore(credited: { searchId: string; serverId: string; toolName: string }): void;
}

/** The most searches in the log, of all keys and of one. */
const recentSearchesMax = 20_000;
const recentSearchesPerKeyMax = 20;
/** The most keys whose last searches are in the log. */
const recentKeysMax = 10_000;
/** How long after a search a call that does not quote it may count for it. */
export const unquotedMsMax = 600_000;
/** How long after a search a call that quotes it may count for it. */
export const quotedMsMax = 86_400_000;

/** Creates an empty log. */
export function createSearchLog(): SearchLog {
  const searches = new BoundedMap<string, SearchRecord>(recentSearchesMax);
  const byKey = new BoundedMap<string, SearchRecord[]>(recentKeysMax);
  const credits = new BoundedMap<string, Set<string>>(recentSearchesMax);

  function add(record: SearchRecord): SearchRecord {
    searches.set(record.searchId, record);
    const recent = byKey.get(record.keyId) ?? [];
    byKey.set(record.keyId, [...recent.slice(1 - recentSearchesPerKeyMax), record]);
    return record;
  }

  function find(outcome: ToolOutcome, stored: SearchRecord | undefined): SearchRecord | undefined {
    if (outcome.searchId === undefined) {
      return byKey.get(outcome.keyId)?.findLast((record) => mayHaveLed(record, outcome, unquotedMsMax));
    }
    const record = searches.get(outcome.searchId) ?? (stored === undefined ? undefined : add(stored));
    return record !== undefined && mayHaveLed(record, outcome, quotedMsMax) ? record : undefined;
  }

  /** Marks a tool as credited to a search. Returns whether it is the first of the search; undefined if it was marked before. */
  function mark(searchId: string, { serverId, toolName }: { serverId: string; toolName: string }): boolean | undefined {
    const credited = credits.get(searchId) ?? new Set();
    const address = `${serverId}\n${toolName}`;
    if (credited.has(address)) return undefined;
    credits.set(searchId, credited.add(address));
    return credited.size === 1;
  }

  return {
    add: (record) => void add(record),
    has: (searchId) => searches.has(searchId),
    restore: ({ searchId, ...tool }) => void mark(searchId, tool),
    credit: (outcome, stored) => {
      const record = find(outcome, stored);
      const at = record?.shown.findIndex((shown) => isShown(shown, outcome)) ?? -1;
      const shown = record?.shown[at];
      const isFirst = record && shown && mark(record.searchId, outcome);
      if (record === undefined || shown === undefined || isFirst === undefined) return undefined;
      return { lesson: lessonOf(record, shown, outcome), place: at + 1, isFirst, source: record.source };
    },
  };
}

function mayHaveLed({ keyId, searchedAt, shown }: SearchRecord, outcome: ToolOutcome, ageMsMax: number): boolean {
  return (
    keyId === outcome.keyId &&
    outcome.recordedAt - searchedAt <= ageMsMax &&
    shown.some((tool) => isShown(tool, outcome))
  );
}

function isShown(shown: ShownTool, { serverId, toolName }: ToolOutcome): boolean {
  return shown.offer === undefined && shown.serverId === serverId && shown.toolName === toolName;
}
