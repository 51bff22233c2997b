/**
 * The hybrid tool index: the word index combined with a nearest-neighbour search over embeddings.
 * Vectors are computed and stored in the background. If the search by meaning does not answer in time, a search returns the
 * results of the word index alone.
 */
import { resultWithin } from '../flow/time-limit.ts';
import { createTimeSlices } from '../flow/time-slices.ts';
import type { IndexedTool } from '../shapes/tool.ts';
import type { Log } from '../telemetry/log.ts';
import type { FallbackReason } from '../telemetry/vector-metrics.ts';
import { type HybridConstants, hybridConstants, hybridScores, wordCandidates } from './hybrid-score.ts';
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
import { createNearestSearch } from './vectors/nearest-search.ts';
import type { VectorStore } from './vectors/store.ts';
import { toolFilter, toolItem } from './vectors/tool-vectors.ts';
import { createVectorWriter, type VectorItem, type VectorWriter } from './vectors/writer.ts';

/** Dependencies of the hybrid index. */
export interface HybridIndexDeps {
  /** The word index, empty. The hybrid index owns it. */
  lexical: ToolIndex;
  embeddings: Embeddings;
  store: VectorStore;
  /** Whether the store is available. */
  isReady: () => boolean;
  /** Called for each search that uses words alone because the search by meaning failed. */
  onFallback: (reason: FallbackReason) => void;
  log: Log;
  /** The constants of the joint score, which depend on the model; those of the static model if unset. */
  constants?: HybridConstants;
  /** How long a search waits for the search by meaning. */
  timeoutMs: number;
  /**
   * Whether a search also waits, within the timeout, for vectors of tools that were just added: with the static model in
   * process they take milliseconds, and the order of results does not depend on when a search comes.
   */
  awaitsVectors?: boolean;
}

/** The index, and the writer of its vectors. */
export interface HybridIndex {
  index: ToolIndex;
  writer: VectorWriter;
}

/** Creates an empty index. */
export function createHybridIndex(deps: HybridIndexDeps): HybridIndex {
  const { lexical } = deps;
  const tools = new Map<string, ToolEntry>();
  const writer = createVectorWriter({
    ...deps,
    items: async (ids) => {
      const entries = ids.flatMap((id) => tools.get(id) ?? []);
      return new Map(entries.map(({ tool, item }) => [toolKeyText(toolKeyOf(tool)), item]));
    },
    digests: async () => new Map([...tools].map(([id, { item }]) => [id, item.digest])),
  });

  function track(tool: IndexedTool): string {
    const id = toolKeyText(toolKeyOf(tool));
    const item = toolItem(tool);
    const before = tools.get(id)?.item.digest;
    tools.set(id, { tool, item });
    if (before !== item.digest) writer.enqueue(id);
    return id;
  }

  function untrack(id: string): void {
    if (tools.delete(id)) writer.enqueue(id);
  }

  const index: ToolIndex = {
    ...lexical,
    replaceServer(serverId, present) {
      const before = lexical.list({ serverId }).map((tool) => toolKeyText(toolKeyOf(tool)));
      lexical.replaceServer(serverId, present);
      const kept = new Set(present.map(track));
      for (const id of before) if (!kept.has(id)) untrack(id);
    },
    replaceServerInSlices: (serverId, present) =>
      replaceInSlices(serverId, present, { lexical, tools, track, untrack }),
    put(tool) {
      lexical.put(tool);
      track(tool);
    },
    remove(key) {
      untrack(toolKeyText(key));
      return lexical.remove(key);
    },
    search: createSearch(deps, tools, writer),
  };
  return { index, writer };
}

interface Tracking {
  lexical: ToolIndex;
  tools: ReadonlyMap<string, ToolEntry>;
  track: (tool: IndexedTool) => string;
  untrack: (id: string) => void;
}

/** Replaces the tools of a server in the word index, then tracks them, and no others of it any more. */
async function replaceInSlices(
  serverId: string,
  present: readonly IndexedTool[],
  { lexical, tools, track, untrack }: Tracking,
): Promise<void> {
  await lexical.replaceServerInSlices(serverId, present);
  const slice = createTimeSlices();
  const kept = new Set<string>();
  for (const tool of present) {
    kept.add(track(tool));
    await slice();
  }
  for (const [id, { tool }] of tools) {
    if (tool.definition.serverId === serverId && !kept.has(id)) untrack(id);
    await slice();
  }
}

interface ToolEntry {
  tool: IndexedTool;
  item: VectorItem;
}

function createSearch(
  deps: HybridIndexDeps,
  tools: ReadonlyMap<string, ToolEntry>,
  writer: VectorWriter,
): ToolIndex['search'] {
  const { lexical, constants = hybridConstants } = deps;
  const nearest = createNearestSearch({ ...deps, onLength: writer.observeLength });
  const meaning = async (query: ToolIndexQuery) => {
    if (deps.awaitsVectors === true && writer.backlog() > 0) await resultWithin(deps.timeoutMs, writer.settled());
    return nearest(query.query, toolFilter(query));
  };
  return async (query) => {
    // Started before the word search, so that both run at the same time.
    const pending = meaning(query);
    const words = await lexical.search({ ...query, limit: Math.max(query.limit, wordCandidates) });
    const matches = await pending;
    if (matches === undefined || matches.length === 0) return { ...words, found: words.found.slice(0, query.limit) };
    const dense = new Map<string, number>();
    for (const { id, similarity } of matches) {
      const tool = tools.get(id)?.tool;
      if (tool !== undefined && isWanted(tool, query)) dense.set(id, similarity);
    }
    return combined({ words, dense, tools, constants }, query);
  };
}

interface MatchedParts {
  words: TextMatches;
  dense: ReadonlyMap<string, number>;
  tools: ReadonlyMap<string, ToolEntry>;
  constants: HybridConstants;
}

function combined({ words, dense, tools, constants }: MatchedParts, { limit }: ToolIndexQuery): TextMatches {
  const byWords = new Map(words.found.map((match) => [toolKeyText(toolKeyOf(match.tool)), match]));
  const scores = new Map([...byWords].map(([id, { score }]) => [id, score]));
  const strength = words.found[0]?.parts.lexical ?? 0;
  const found: FoundTool[] = [];
  for (const [id, score] of hybridScores({ words: scores, strength, cosines: dense }, constants)) {
    const match = byWords.get(id);
    const tool = match?.tool ?? tools.get(id)?.tool;
    if (tool === undefined) continue;
    found.push({ tool, score, parts: { lexical: match?.parts.lexical, dense: dense.get(id) } });
  }
  found.sort((one, other) => other.score - one.score || compareTools(one.tool, other.tool));
  return { found: found.slice(0, limit), scoring: 'hybrid' };
}
