/** All tools that can be found, in memory, and the search over their words: BM25 over weighted fields. Never waits. */
import MiniSearch from 'minisearch';
import type { IndexedTool } from '../shapes/tool.ts';
import {
  compareTools,
  isWanted,
  type TextMatches,
  type ToolIndex,
  type ToolIndexQuery,
  toolKeyOf,
  toolKeyText,
} from './tool-index.ts';
import { queryTerms, toolTerms } from './tool-terms.ts';
import { type ToolText, toolText, toolTextFields } from './tool-text.ts';

/** Makes an empty index in process. */
export function createLexicalToolIndex(): ToolIndex {
  const engine = createEngine();
  const servers = new Map<string, Map<string, Entry>>();
  const entries = new Map<string, Entry>();

  function put(tool: IndexedTool): void {
    const { serverId } = tool.definition;
    const id = toolKeyText(toolKeyOf(tool));
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
      const kept = new Set(tools.map((tool) => toolKeyText(toolKeyOf(tool))));
      for (const id of [...(servers.get(serverId)?.keys() ?? [])]) if (!kept.has(id)) removeEntry(id);
      for (const tool of tools) put(tool);
    },
    put,
    remove: (key) => removeEntry(toolKeyText(key)),
    find: (key) => (entries.get(toolKeyText(key)) ?? entries.get(toolKeyText({ ...key, namespace: undefined })))?.tool,
    list: ({ serverId }) =>
      [...(serverId === undefined ? entries : (servers.get(serverId) ?? new Map<string, Entry>())).values()]
        .map(({ tool }) => tool)
        .sort(compareTools),
    search: async (query) => searched(engine, entries, query),
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

function searched(engine: MiniSearch, entries: ReadonlyMap<string, Entry>, query: ToolIndexQuery): TextMatches {
  const matches = engine
    .search(query.query)
    .flatMap(({ id, score }) => {
      const tool = entries.get(String(id))?.tool;
      return tool !== undefined && isWanted(tool, query) ? [{ tool, lexical: rounded(score) }] : [];
    })
    .sort((one, other) => other.lexical - one.lexical || compareTools(one.tool, other.tool))
    .slice(0, query.limit);
  const best = matches[0]?.lexical ?? 1;
  const found = matches.map(({ tool, lexical }) => ({
    tool,
    score: lexical / best,
    parts: { lexical, dense: undefined },
  }));
  return { found, scoring: 'lexical' };
}

function typingErrorsMax(term: string): number {
  if (term.length < 5 || !/^\p{L}+$/u.test(term)) return 0;
  return term.length < 9 ? 1 : 2;
}

// A server that comes back mostly lists what it listed before: that costs no indexing.
function isSameText(one: ToolText, other: ToolText): boolean {
  return toolTextFields.every((field) => one[field] === other[field]);
}

// The engine's running averages depend, in their last digits, on the order in which tools came and went.
function rounded(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}
