/**
 * The index of tools as the rest of the house sees it; what scores the text stands behind it: words in process, or
 * words and meaning. Decides which namespace sees a tool; knows no permissions beyond that.
 */
import type { IndexedTool, ToolSource } from '../shapes/tool.ts';

/** Names one tool. A tool of no namespace and one of a namespace may share server id and name. */
export interface ToolKey {
  serverId: string;
  toolName: string;
  namespace: string | undefined;
}

/** What to find, and for whom. All filters apply before anything is scored, limited or counted. */
export interface ToolIndexQuery {
  query: string;
  limit: number;
  namespace: string;
  source?: ToolSource | undefined;
  serverId?: string | undefined;
  /** Leaves out tools that the index cannot know to be out of use. */
  isUsable?: ((tool: IndexedTool) => boolean) | undefined;
}

/** A found tool. */
export interface FoundTool {
  tool: IndexedTool;
  /** In (0, 1], 1 for the best of this answer; comparable within one answer only. */
  score: number;
  /** What the score is made of, in the units of each part; undefined where that part did not find the tool. */
  parts: { lexical: number | undefined; dense: number | undefined };
}

/** What the text alone says about a query: the best tools, best first, equal ones by server id and tool name. */
export interface TextMatches {
  found: FoundTool[];
  /** What scored them: words alone, or words and meaning. */
  scoring: 'lexical' | 'hybrid';
}

/** The index of tools. It keeps the tools it is given, which must not be changed afterwards. */
export interface ToolIndex {
  /**
   * Does the work of taking these tools in that can be done before, a few milliseconds at a time: {@link ToolIndex.replaceServer}
   * with the very same objects is then quick. Changes nothing that a search sees.
   */
  prepare(tools: readonly IndexedTool[]): Promise<void>;
  /** Makes `tools` all the tools of the server, the last of each key; costs in proportion to that server's tools. */
  replaceServer(serverId: string, tools: readonly IndexedTool[]): void;
  /** Adds the tool, or replaces the one of the same key. */
  put(tool: IndexedTool): void;
  /** Answers false where there is no such tool. */
  remove(key: ToolKey): boolean;
  /** The tool as `namespace` sees it: its own before one that every namespace sees. */
  find(key: ToolKey): IndexedTool | undefined;
  /** Whether any tool but a skill's has this name, at any server. In constant time. */
  hasName(toolName: string): boolean;
  /** Tools of one server or of all, whatever their namespace, ordered by server id and tool name. */
  list(filter: { serverId?: string | undefined }): IndexedTool[];
  /**
   * The best tools that the query's filters let through. A tool is found when any word of the query fits; a word of
   * five letters or more may have a typing error. Waits for no other process longer than a small bound, then answers
   * with what is in this one; never throws for what another process did.
   */
  search(query: ToolIndexQuery): Promise<TextMatches>;
}

/** The key as one string, equal for equal keys only. */
export function toolKeyText({ serverId, toolName, namespace }: ToolKey): string {
  return JSON.stringify([namespace ?? null, serverId, toolName]);
}

/** The key of a tool. */
export function toolKeyOf({ definition, namespace }: IndexedTool): ToolKey {
  return { serverId: definition.serverId, toolName: definition.toolName, namespace };
}

/** Whether a query's filters let a tool through. */
export function isWanted(tool: IndexedTool, { namespace, source, serverId, isUsable }: ToolIndexQuery): boolean {
  return (
    (tool.namespace === undefined || tool.namespace === namespace) &&
    (source === undefined || tool.source === source) &&
    (serverId === undefined || tool.definition.serverId === serverId) &&
    (isUsable === undefined || isUsable(tool))
  );
}

/** Orders tools by server id, name and namespace. By code units, not by locale: the same on every machine. */
export function compareTools(one: IndexedTool, other: IndexedTool): number {
  return (
    compared(one.definition.serverId, other.definition.serverId) ||
    compared(one.definition.toolName, other.definition.toolName) ||
    compared(one.namespace ?? '', other.namespace ?? '')
  );
}

function compared(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
