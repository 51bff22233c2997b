/**
 * The port of the tool index: the interface that both the word index and the hybrid index implement.
 * It decides which namespaces see a tool, and knows no other permissions.
 */
import type { OfferReference } from '../shapes/search.ts';
import type { IndexedTool, SearchSource } from '../shapes/tool.ts';

/** Identifies a tool. A tool of a namespace and one without may have the same server id and name. */
export interface ToolKey {
  serverId: string;
  toolName: string;
  namespace: string | undefined;
  /** Set for a prompt, resource or template, of which several may have one name. */
  offer?: OfferReference | undefined;
}

/** Which tools a search may find. */
export interface ToolIndexFilter {
  namespace: string;
  source?: SearchSource | undefined;
  serverId?: string | undefined;
  /** Excludes tools that are out of use for reasons unknown to the index. */
  isUsable?: ((tool: IndexedTool) => boolean) | undefined;
}

/** A search and its filters. All filters apply before tools are scored, counted or limited. */
export interface ToolIndexQuery extends ToolIndexFilter {
  query: string;
  limit: number;
}

/** A found tool. */
export interface FoundTool {
  tool: IndexedTool;
  /** In (0, 1]; the best match has 1. Comparable only within one search. */
  score: number;
  /** The unscaled scores by words and by meaning; undefined if the part did not find the tool. */
  parts: { lexical: number | undefined; dense: number | undefined };
}

/** The best matches for a query, best first, equal ones by server id and tool name. Outcomes are not considered. */
export interface TextMatches {
  found: FoundTool[];
  /** Whether words alone (`lexical`) or words and meaning (`hybrid`) scored them. */
  scoring: 'lexical' | 'hybrid';
}

/** The index of tools. It keeps references to the given tools, which must not be changed afterwards. */
export interface ToolIndex {
  /** Replaces all tools of the server. Of equal keys, the last wins. The cost is proportional to that server's tools. */
  replaceServer(serverId: string, tools: readonly IndexedTool[]): void;
  /**
   * Does the same in slices of a few milliseconds. Searches meanwhile find some of the new tools and some of the former. Calls
   * for one server must not overlap.
   */
  replaceServerInSlices(serverId: string, tools: readonly IndexedTool[]): Promise<void>;
  /** Adds the tool, or replaces the one of the same key. */
  put(tool: IndexedTool): void;
  /** Returns false if there is no such tool. */
  remove(key: ToolKey): boolean;
  /** The tool as `namespace` sees it: its own, else the one of all namespaces. */
  find(key: ToolKey): IndexedTool | undefined;
  /** The number of tools that `namespace` sees. Takes constant time. */
  count(namespace: string): number;
  /** Whether any tool passes the filters. */
  some(filter: ToolIndexFilter): boolean;
  /** Tools of one server or of all, whatever their namespace, ordered by server id and tool name. */
  list(filter: { serverId?: string | undefined }): IndexedTool[];
  /**
   * The best tools that pass the query's filters. A tool is found if any word of the query matches. A word of five letters or
   * more may have a typing error. The search waits for other processes only for a short, bounded time, and then uses what is in
   * this process. It never throws because of a failure of another process.
   */
  search(query: ToolIndexQuery): Promise<TextMatches>;
}

/** The key as a unique string. */
export function toolKeyText({ serverId, toolName, namespace, offer }: ToolKey): string {
  const parts = [namespace ?? null, serverId, toolName];
  return JSON.stringify(offer === undefined ? parts : [...parts, offer.kind, offer.key]);
}

/** The key of a tool. */
export function toolKeyOf({ definition, namespace, offer }: IndexedTool): ToolKey {
  return { serverId: definition.serverId, toolName: definition.toolName, namespace, offer };
}

/** Whether a tool passes the query's filters. */
export function isWanted(tool: IndexedTool, { namespace, source, serverId, isUsable }: ToolIndexFilter): boolean {
  return (
    (tool.namespace === undefined || tool.namespace === namespace) &&
    (source === undefined || tool.source === source) &&
    (serverId === undefined || tool.definition.serverId === serverId) &&
    (isUsable === undefined || isUsable(tool))
  );
}

/** Orders tools by server id, name and namespace, and prompts and resources by what identifies them, too. It compares code units, so that the order is the same on every machine. */
export function compareTools(one: IndexedTool, other: IndexedTool): number {
  return (
    compared(one.definition.serverId, other.definition.serverId) ||
    compared(one.definition.toolName, other.definition.toolName) ||
    compared(one.namespace ?? '', other.namespace ?? '') ||
    compared(one.offer?.key ?? '', other.offer?.key ?? '')
  );
}

function compared(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
