/** The word index: all tools in memory, and the BM25F search over their words. */
import { createTimeSlices, inTimeSlices, nextSlice } from '../../flow/time-slices.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import { compareTools, isWanted, type ToolIndex, toolKeyOf, toolKeyText } from '../tool-index.ts';
import { searchText } from './bm25f.ts';
import { createInvertedIndex, type DocumentWithPostings, type InvertedIndex } from './inverted-index.ts';
import { analyseText, type TextAnalysis } from './text-analysis.ts';
import { type ToolText, toolText, toolTextFields } from './tool-text.ts';

/** The most tools that are indexed or removed in one slice: some 1 to 2 ms. */
const batchTools = 50;

/** Creates an empty index. Its searches wait for nothing else. */
export function createWordIndex(): ToolIndex {
  const content: Content = {
    texts: createInvertedIndex(),
    servers: new Map(),
    entries: new Map(),
  };
  const { texts, servers, entries } = content;
  return {
    replaceServer: (serverId, tools) => {
      const kept = new Set(tools.map((tool) => toolKeyText(toolKeyOf(tool))));
      const removedIds = [...(servers.get(serverId)?.keys() ?? [])].filter((id) => !kept.has(id));
      putAll(content, tools, removedIds);
      sweepIfDue(texts);
    },
    replaceServerInSlices: (serverId, tools) => replaceInSlices(content, serverId, tools),
    put: (tool) => {
      putAll(content, [tool], []);
      sweepIfDue(texts);
    },
    remove: (key) => {
      const isRemoved = removeAll(content, [toolKeyText(key)]);
      sweepIfDue(texts);
      return isRemoved;
    },
    find: (key) =>
      (entries.get(toolKeyText(key)) ?? entries.get(toolKeyText({ ...key, namespace: undefined })))?.document.tool,
    count: (namespace) => {
      const { shared, owned } = texts.content.counts;
      return shared + (owned.get(namespace) ?? 0);
    },
    some: (filter) => {
      const ofServer = filter.serverId === undefined ? entries : servers.get(filter.serverId);
      return ofServer?.values().some(({ document }) => isWanted(document.tool, filter)) ?? false;
    },
    list: ({ serverId }) =>
      [...(serverId === undefined ? entries : (servers.get(serverId) ?? new Map<string, Entry>())).values()]
        .map(({ document }) => document.tool)
        .sort(compareTools),
    search: async (query) => searchText(texts.content, query),
  };
}

/** Puts the tools in batches, then removes others of the server in batches, and sweeps what is left of removed ones. */
async function replaceInSlices(content: Content, serverId: string, tools: readonly IndexedTool[]): Promise<void> {
  const { texts, servers } = content;
  const kept = new Set<string>();
  for (let at = 0; at < tools.length; at += batchTools) {
    const batch = tools.slice(at, at + batchTools);
    for (const tool of batch) kept.add(toolKeyText(toolKeyOf(tool)));
    putAll(content, batch, [], await analysedInSlices(content, batch));
    await nextSlice();
    if (texts.isSweepDue()) await inTimeSlices(texts.sweep());
  }
  const removedIds = [...(servers.get(serverId)?.keys() ?? [])].filter((id) => !kept.has(id));
  for (let at = 0; at < removedIds.length; at += batchTools) {
    removeAll(content, removedIds.slice(at, at + batchTools));
    await nextSlice();
  }
  await inTimeSlices(texts.sweep());
}

/** What the index contains. */
interface Content {
  texts: InvertedIndex;
  /** The entries by server and id. */
  servers: Map<string, Map<string, Entry>>;
  /** The entries by id. */
  entries: Map<string, Entry>;
}

interface Entry {
  text: ToolText;
  document: DocumentWithPostings;
}

function sweepIfDue(texts: InvertedIndex): void {
  const steps = texts.sweep();
  while (texts.isSweepDue() && steps.next().done !== true);
}

interface AnalysedText {
  text: ToolText;
  analysis: TextAnalysis;
}

function analysed(tool: IndexedTool): AnalysedText {
  const text = toolText(tool.definition);
  return { text, analysis: analyseText(text) };
}

/** Analyses the tools whose texts are new or changed. */
async function analysedInSlices(
  content: Content,
  tools: readonly IndexedTool[],
): Promise<Map<IndexedTool, AnalysedText>> {
  const slice = createTimeSlices();
  const texts = new Map<IndexedTool, AnalysedText>();
  for (const tool of tools) {
    if (unchanged(content, tool) === undefined) texts.set(tool, analysed(tool));
    await slice();
  }
  return texts;
}

/** The tool's entry if its text is unchanged. */
function unchanged({ entries }: Content, tool: IndexedTool): Entry | undefined {
  const present = entries.get(toolKeyText(toolKeyOf(tool)));
  return present !== undefined && isSameText(present.text, toolText(tool.definition)) ? present : undefined;
}

/**
 * Adds or replaces tools, the last of each key, and removes those whose ids are in `removedIds`. `analysedTexts` has those that were
 * analysed ahead.
 */
function putAll(
  content: Content,
  tools: readonly IndexedTool[],
  removedIds: readonly string[],
  analysedTexts?: ReadonlyMap<IndexedTool, AnalysedText>,
): void {
  const { texts, servers, entries } = content;
  const changed = new Map<string, IndexedTool>();
  for (const tool of tools) {
    const id = toolKeyText(toolKeyOf(tool));
    const same = unchanged(content, tool);
    changed.delete(id);
    if (same === undefined) changed.set(id, tool);
    else same.document.tool = tool;
  }
  removeAll(content, [...removedIds, ...changed.keys()]);
  for (const [id, tool] of changed) {
    const { text, analysis } = analysedTexts?.get(tool) ?? analysed(tool);
    const entry = { text, document: texts.add(tool, analysis) };
    entries.set(id, entry);
    const { serverId } = tool.definition;
    const server = servers.get(serverId) ?? new Map<string, Entry>();
    servers.set(serverId, server.set(id, entry));
  }
}

/** Returns whether any of them existed. */
function removeAll(content: Content, ids: readonly string[]): boolean {
  const { texts, servers, entries } = content;
  const removed = ids.flatMap((id) => entries.get(id) ?? []);
  texts.removeAll(removed.map(({ document }) => document));
  for (const id of ids) {
    const tool = entries.get(id)?.document.tool;
    if (tool === undefined) continue;
    entries.delete(id);
    const { serverId } = tool.definition;
    const server = servers.get(serverId);
    server?.delete(id);
    if (server?.size === 0) servers.delete(serverId);
  }
  return removed.length > 0;
}

// A server that reconnects mostly lists the same tools as before, which then need no indexing.
function isSameText(one: ToolText, other: ToolText): boolean {
  return toolTextFields.every((field) => one[field] === other[field]);
}
