/**
 * All tools that can be found, in memory, and the search over them: BM25 over weighted fields.
 * Decides which namespace sees a tool; knows no permissions beyond that, and never waits.
 */
import MiniSearch from 'minisearch';
import type { IndexedTool, ToolSource } from '../shapes/tool.ts';
import { queryTerms, toolTerms } from './tool-terms.ts';
import { type ToolText, toolText, toolTextFields } from './tool-text.ts';

/** Names one tool. A tool of no namespace and one of a namespace may share server id and name. */
export interface ToolKey {
  serverId: string;
  toolName: string;
  namespace: string | undefined;
}

/** What to find, and for whom. */
export interface ToolIndexQuery {
  query: string;
  limit: number;
  namespace: string;
  source?: ToolSource | undefined;
}

/** A found tool. Higher scores are better; they compare within one answer only. */
export interface FoundTool {
  tool: IndexedTool;
  score: number;
}

/** The index of tools. It keeps the tools it is given, which must not be changed afterwards. */
export interface ToolIndex {
  /** Makes `tools` all the tools of the server, the last of each key; costs in proportion to that server's tools. */
  replaceServer(serverId: string, tools: readonly IndexedTool[]): void;
  /** Adds the tool, or replaces the one of the same key. */
  put(tool: IndexedTool): void;
  /** Answers false where there is no such tool. */
  remove(key: ToolKey): boolean;
  /** The tool as `namespace` sees it: its own before one that every namespace sees. */
  find(key: ToolKey): IndexedTool | undefined;
  /** Tools of one server or of all, whatever their namespace, ordered by server id and tool name. */
  list(filter: { serverId?: string | undefined }): IndexedTool[];
  /**
   * The best tools that `namespace` sees, best first, equal ones by server id and tool name.
   * A tool is found when any word of the query fits; a word of five letters or more may have a typing error.
   */
  search(query: ToolIndexQuery): FoundTool[];
}

/** Makes an empty index in process. */
export function createToolIndex(): ToolIndex {
  const engine = createEngine();
  const servers = new Map<string, Map<string, Entry>>();
  const entries = new Map<string, Entry>();

  function put(tool: IndexedTool): void {
    const { serverId } = tool.definition;
    const id = idOf(tool);
    const entry: Entry = { tool, text: { id, ...toolText(tool.definition) } };
    const present = entries.get(id);
    if (present !== undefined && isSameText(present.text, entry.text)) {
      present.tool = tool;
      return;
    }
    removeEntry(id);
    engine.add(entry.text);
    entries.set(id, entry);
    const server = servers.get(serverId) ?? new Map<string, Entry>();
    servers.set(serverId, server.set(id, entry));
  }

  function removeEntry(id: string): boolean {
    const entry = entries.get(id);
    if (entry === undefined) return false;
    engine.remove(entry.text);
    entries.delete(id);
    const { serverId } = entry.tool.definition;
    const server = servers.get(serverId);
    server?.delete(id);
    if (server?.size === 0) servers.delete(serverId);
    return true;
  }

  return {
    replaceServer(serverId, tools) {
      const kept = new Set(tools.map(idOf));
      for (const id of [...(servers.get(serverId)?.keys() ?? [])]) if (!kept.has(id)) removeEntry(id);
      for (const tool of tools) put(tool);
    },
    put,
    remove: (key) => removeEntry(entryId(key)),
    find: (key) => (entries.get(entryId(key)) ?? entries.get(entryId({ ...key, namespace: undefined })))?.tool,
    list: ({ serverId }) =>
      [...(serverId === undefined ? entries : (servers.get(serverId) ?? new Map<string, Entry>())).values()]
        .map(({ tool }) => tool)
        .sort(byName),
    search: (query) => searched(engine, entries, query),
  };
}

interface Entry {
  tool: IndexedTool;
  /** What the engine was given; it must be given the same to forget it. */
  text: ToolText & { id: string };
}

// Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), section 3. Weights, k and b were fitted to
// 2,889 labelled queries over 399 real tools, where d, the lower bound of BM25+, did harm.
const boost = {
  name: 1.4,
  title: 1,
  summary: 0.75,
  description: 0.75,
  parameterNames: 0.2,
  parameterDescriptions: 0.2,
  server: 0.3,
} as const satisfies Record<keyof ToolText, number>;

function createEngine(): MiniSearch<Entry['text']> {
  return new MiniSearch<Entry['text']>({
    idField: 'id',
    fields: [...toolTextFields],
    tokenize: toolTerms,
    processTerm: (term) => term,
    searchOptions: {
      tokenize: queryTerms,
      processTerm: (term) => term,
      combineWith: 'OR',
      boost,
      bm25: { k: 3.4, b: 0.98, d: 0 },
      fuzzy: typingErrorsMax,
      weights: { fuzzy: 0.3, prefix: 0 },
      prefix: false,
    },
  });
}

function searched(
  engine: MiniSearch,
  entries: ReadonlyMap<string, Entry>,
  { query, limit, namespace, source }: ToolIndexQuery,
): FoundTool[] {
  return engine
    .search(query)
    .flatMap(({ id, score }) => {
      const tool = entries.get(String(id))?.tool;
      return tool !== undefined && isVisible(tool, namespace, source) ? [{ tool, score: rounded(score) }] : [];
    })
    .sort((one, other) => other.score - one.score || byName(one.tool, other.tool))
    .slice(0, limit);
}

function typingErrorsMax(term: string): number {
  if (term.length < 5 || !/^\p{L}+$/u.test(term)) return 0;
  return term.length < 9 ? 1 : 2;
}

function isVisible(tool: IndexedTool, namespace: string, source: ToolSource | undefined): boolean {
  return (
    (tool.namespace === undefined || tool.namespace === namespace) && (source === undefined || tool.source === source)
  );
}

// A server that comes back mostly lists what it listed before: that costs no indexing.
function isSameText(one: ToolText, other: ToolText): boolean {
  return toolTextFields.every((field) => one[field] === other[field]);
}

function idOf({ definition, namespace }: IndexedTool): string {
  return entryId({ serverId: definition.serverId, toolName: definition.toolName, namespace });
}

function entryId({ serverId, toolName, namespace }: ToolKey): string {
  return JSON.stringify([namespace ?? null, serverId, toolName]);
}

// The engine's running averages depend, in their last digits, on the order in which tools came and went.
function rounded(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}

function byName(one: IndexedTool, other: IndexedTool): number {
  return (
    compared(one.definition.serverId, other.definition.serverId) ||
    compared(one.definition.toolName, other.definition.toolName) ||
    compared(one.namespace ?? '', other.namespace ?? '')
  );
}

// By code units, not by locale: the order must be the same on every machine.
function compared(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
