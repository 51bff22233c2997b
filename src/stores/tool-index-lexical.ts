/** All tools that can be found, in memory, and the search over their words. Never waits. */
import type { IndexedTool } from '../shapes/tool.ts';
import { compareTools, type ToolIndex, toolKeyOf, toolKeyText } from './tool-index.ts';
import { createPostings } from './tool-postings.ts';
import { type ToolText, toolText, toolTextFields } from './tool-text.ts';
import { analyseText } from './tool-text-analysis.ts';
import { type IndexedDocument, searchText, type TextIndex } from './tool-text-search.ts';

/** Makes an empty index in process. */
export function createLexicalToolIndex(): ToolIndex {
  const texts = createTextIndex();
  const servers = new Map<string, Map<string, Entry>>();
  const entries = new Map<string, Entry>();

  function put(tool: IndexedTool): void {
    const { serverId } = tool.definition;
    const id = toolKeyText(toolKeyOf(tool));
    const text = toolText(tool.definition);
    const present = entries.get(id);
    if (present !== undefined && isSameText(present.text, text)) {
      present.document.tool = tool;
      return;
    }
    removeEntry(id);
    const entry = { text, document: texts.add(tool, text) };
    entries.set(id, entry);
    const server = servers.get(serverId) ?? new Map<string, Entry>();
    servers.set(serverId, server.set(id, entry));
  }

  function removeEntry(id: string): boolean {
    const entry = entries.get(id);
    if (entry === undefined) return false;
    texts.remove(entry.document, entry.text);
    entries.delete(id);
    const { serverId } = entry.document.tool.definition;
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
    find: (key) =>
      (entries.get(toolKeyText(key)) ?? entries.get(toolKeyText({ ...key, namespace: undefined })))?.document.tool,
    list: ({ serverId }) =>
      [...(serverId === undefined ? entries : (servers.get(serverId) ?? new Map<string, Entry>())).values()]
        .map(({ document }) => document.tool)
        .sort(compareTools),
    search: async (query) => searchText(texts.index, query),
  };
}

interface Entry {
  /** What the dictionaries were given; they must be given the same to forget it. */
  text: ToolText;
  document: IndexedDocument;
}

/** The dictionaries, and documents coming and going. Numbers of those that went are given again. */
function createTextIndex() {
  const index: TextIndex = {
    stems: createPostings(),
    forms: createPostings(),
    affixes: createPostings(),
    documents: [],
    counts: { shared: 0, owned: new Map() },
  };
  const free: number[] = [];
  const count = (namespace: string | undefined, change: number) => {
    if (namespace === undefined) index.counts.shared += change;
    else index.counts.owned.set(namespace, (index.counts.owned.get(namespace) ?? 0) + change);
  };
  return {
    index,
    add: (tool: IndexedTool, text: ToolText): IndexedDocument => {
      const { stems, forms, affixes, sequences, nameStems } = analyseText(text);
      const number = free.pop() ?? index.documents.length;
      const document = { number, tool, sequences, nameStems };
      index.documents[number] = document;
      index.stems.add(number, tool.namespace, stems);
      index.forms.add(number, tool.namespace, forms);
      index.affixes.add(number, tool.namespace, affixes);
      count(tool.namespace, 1);
      return document;
    },
    remove: ({ number, tool }: IndexedDocument, text: ToolText): void => {
      const { stems, forms, affixes } = analyseText(text);
      index.stems.remove(number, tool.namespace, stems.keys());
      index.forms.remove(number, tool.namespace, forms.keys());
      index.affixes.remove(number, tool.namespace, affixes.keys());
      index.documents[number] = undefined;
      free.push(number);
      count(tool.namespace, -1);
    },
  };
}

// A server that comes back mostly lists what it listed before: that costs no indexing.
function isSameText(one: ToolText, other: ToolText): boolean {
  return toolTextFields.every((field) => one[field] === other[field]);
}
