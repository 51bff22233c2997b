/**
 * The index of tools by words and by meaning: words at once and in process, meaning from vectors that are made and stored
 * behind the scenes. Without an answer from those in time it is the index by words, and nothing else is different.
 */

import { createTimeSlices } from '../flow/time-slices.ts';
import type { IndexedTool } from '../shapes/tool.ts';
import type { Log } from '../telemetry/log.ts';
import type { FallbackReason } from '../telemetry/vector-metrics.ts';
import { hybridScores, lexicalCandidates, wordlessSimilarityMin } from './hybrid-score.ts';
import {
  compareTools,
  type FoundTool,
  isWanted,
  type TextMatches,
  type ToolIndex,
  type ToolIndexQuery,
  toolKeyOf,
  toolKeyText,
} from './tool-index.ts';
import type { Embeddings } from './vectors/embeddings.ts';
import { createNearestVectors } from './vectors/nearest.ts';
import type { VectorStore } from './vectors/store.ts';
import { toolFilter, toolItem } from './vectors/tool-vectors.ts';
import { createVectorFeed, type FeedItem, type VectorFeed } from './vectors/write-behind.ts';

/** What the index is made of. */
export interface HybridToolIndexDeps {
  /** The index by words, empty; this one owns it from now on. */
  lexical: ToolIndex;
  embeddings: Embeddings;
  store: VectorStore;
  /** Whether the store can be asked now. */
  isReady: () => boolean;
  /** Hears of searches that went on by words alone. */
  onFallback: (reason: FallbackReason) => void;
  log: Log;
  /** How long a search waits for what meaning says. */
  waitMs: number;
}

/** The index, and what feeds its vectors. */
export interface HybridToolIndex {
  index: ToolIndex;
  feed: VectorFeed;
}

/** Makes an empty index. */
export function createHybridToolIndex(deps: HybridToolIndexDeps): HybridToolIndex {
  const { lexical } = deps;
  const tools = new Map<string, ToolEntry>();
  const items = createItems();
  const feed = createVectorFeed({
    ...deps,
    items: async (ids) => {
      const entries = ids.flatMap((id) => tools.get(id) ?? []);
      return new Map(entries.map(({ tool, item }) => [toolKeyText(toolKeyOf(tool)), item]));
    },
    digests: async () => new Map([...tools].map(([id, { item }]) => [id, item.digest])),
  });
  const search = createSearch(deps, tools, feed);

  function follow(tool: IndexedTool): string {
    const id = toolKeyText(toolKeyOf(tool));
    const item = items.of(tool);
    const before = tools.get(id)?.item.digest;
    tools.set(id, { tool, item });
    if (before !== item.digest) feed.changed(id);
    return id;
  }

  function forget(id: string): void {
    if (tools.delete(id)) feed.changed(id);
  }

  const index: ToolIndex = {
    ...lexical,
    prepare: async (present) => {
      await Promise.all([lexical.prepare(present), items.prepare(present)]);
    },
    replaceServer(serverId, present) {
      const before = lexical.list({ serverId }).map((tool) => toolKeyText(toolKeyOf(tool)));
      lexical.replaceServer(serverId, present);
      const kept = new Set(present.map(follow));
      for (const id of before) if (!kept.has(id)) forget(id);
    },
    put(tool) {
      lexical.put(tool);
      follow(tool);
    },
    remove(key) {
      forget(toolKeyText(key));
      return lexical.remove(key);
    },
    search,
  };
  return { index, feed };
}

interface ToolEntry {
  tool: IndexedTool;
  item: FeedItem;
}

/** Tools as the feed takes them, and those that were made ahead. */
function createItems() {
  const prepared = new WeakMap<IndexedTool, FeedItem>();
  return {
    of: (tool: IndexedTool) => prepared.get(tool) ?? toolItem(tool),
    async prepare(tools: readonly IndexedTool[]): Promise<void> {
      const slice = createTimeSlices();
      for (const tool of tools) {
        prepared.set(tool, toolItem(tool));
        await slice();
      }
    },
  };
}

function createSearch(
  deps: HybridToolIndexDeps,
  tools: ReadonlyMap<string, ToolEntry>,
  feed: VectorFeed,
): ToolIndex['search'] {
  const { lexical, embeddings } = deps;
  const nearest = createNearestVectors({ ...deps, onLength: feed.sawLength });
  return async (query) => {
    // Asked first, so that both are under way together.
    const asked = embeddings.hasMeaning ? nearest(query.query, toolFilter(query)) : undefined;
    const words = await lexical.search({ ...query, limit: Math.max(query.limit, lexicalCandidates) });
    const byWords = { ...words, found: words.found.slice(0, query.limit) };
    if (asked === undefined && words.found.length > 0) return byWords;
    const matches = await (asked ?? nearest(query.query, toolFilter(query)));
    if (matches === undefined) return byWords;
    const dense = new Map<string, number>();
    for (const { id, similarity } of matches) {
      const tool = tools.get(id)?.tool;
      if (tool === undefined || !isWanted(tool, query)) continue;
      if (embeddings.hasMeaning || similarity >= wordlessSimilarityMin) dense.set(id, similarity);
    }
    return combined(words, dense, tools, query);
  };
}

function combined(
  words: TextMatches,
  dense: ReadonlyMap<string, number>,
  tools: ReadonlyMap<string, ToolEntry>,
  { limit }: ToolIndexQuery,
): TextMatches {
  const byWords = new Map(words.found.map((match) => [toolKeyText(toolKeyOf(match.tool)), match]));
  const lexical = new Map([...byWords].map(([id, { score }]) => [id, score]));
  const found: FoundTool[] = [];
  for (const [id, score] of hybridScores({ lexical, dense })) {
    const match = byWords.get(id);
    const tool = match?.tool ?? tools.get(id)?.tool;
    if (tool === undefined) continue;
    found.push({ tool, score, parts: { lexical: match?.parts.lexical, dense: dense.get(id) } });
  }
  found.sort((one, other) => other.score - one.score || compareTools(one.tool, other.tool));
  return { found: found.slice(0, limit), scoring: 'hybrid' };
}
