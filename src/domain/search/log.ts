/**
 * The in-memory log of recent searches, which attributes a tool outcome to the search that led to it.
 * An outcome counts once, and only for a search that showed the tool to the same key. The log is bounded; the search store keeps
 * searches for longer.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { Lesson, SearchRecord, ShownTool } from '../../shapes/search.ts';
import type { ToolOutcome } from '../../shapes/tool.ts';
import { blameOf } from './ranking.ts';

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

interface Logged {
  record: SearchRecord;
  credited: Set<string>;
}

/** Creates an empty log. */
export function createSearchLog(): SearchLog {
  const searches = new BoundedMap<string, Logged>(recentSearchesMax);
  const byKey = new BoundedMap<string, Logged[]>(recentKeysMax);

  function add(record: SearchRecord): Logged {
    const logged = { record, credited: new Set<string>() };
    searches.set(record.searchId, logged);
    const recent = byKey.get(record.keyId) ?? [];
    byKey.set(record.keyId, [...recent.slice(1 - recentSearchesPerKeyMax), logged]);
    return logged;
  }

  function find(outcome: ToolOutcome, stored: SearchRecord | undefined): Logged | undefined {
    if (outcome.searchId === undefined) {
      return byKey.get(outcome.keyId)?.findLast((logged) => mayHaveLed(logged.record, outcome, unquotedMsMax));
    }
    const logged = searches.get(outcome.searchId) ?? (stored === undefined ? undefined : add(stored));
    return logged !== undefined && mayHaveLed(logged.record, outcome, quotedMsMax) ? logged : undefined;
  }

  return {
    add: (record) => void add(record),
    has: (searchId) => searches.has(searchId),
    credit: (outcome, stored) => {
      const logged = find(outcome, stored);
      const at = logged?.record.shown.findIndex((shown) => isShown(shown, outcome)) ?? -1;
      const shown = logged?.record.shown[at];
      const address = `${outcome.serverId}\n${outcome.toolName}`;
      if (logged === undefined || shown === undefined || logged.credited.has(address)) return undefined;
      const isFirst = logged.credited.size === 0;
      logged.credited.add(address);
      return { lesson: lessonOf(logged.record, shown, outcome), place: at + 1, isFirst, source: logged.record.source };
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
  return shown.serverId === serverId && shown.toolName === toolName;
}

function lessonOf({ searchId, queryKey }: SearchRecord, shown: ShownTool, outcome: ToolOutcome): Lesson {
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
