/** The tool index that search is measured with: the hub's own, with the static model, an embeddings service or words alone. */
import { createHybridIndex } from '../../src/search-index/hybrid-index.ts';
import type { ToolIndex } from '../../src/search-index/tool-index.ts';
import type { Embeddings } from '../../src/search-index/vectors/embeddings.ts';
import { createEndpointEmbeddings } from '../../src/search-index/vectors/embeddings-endpoint.ts';
import { createStaticEmbeddings } from '../../src/search-index/vectors/embeddings-static.ts';
import { createVectorStore } from '../../src/search-index/vectors/store.ts';
import { createWordIndex } from '../../src/search-index/words/word-index.ts';
import type { IndexedTool } from '../../src/shapes/tool.ts';

/** An embeddings service in OpenAI's format. */
export interface EvalEndpoint {
  url: string;
  model: string;
}

/** How tools are found: by words and the static model, by words and an embeddings service, or by words alone. */
export type EvalScoring = 'static' | 'words' | EvalEndpoint;

/** The embeddings of a scoring. */
export function embeddingsOf(scoring: Exclude<EvalScoring, 'words'>): Embeddings {
  if (scoring === 'static') return createStaticEmbeddings();
  const signal = new AbortController().signal;
  return createEndpointEmbeddings({ ...scoring, key: undefined, signal, onRequest: unlogged });
}

const unlogged = () => undefined;
const noLog = {
  debug: unlogged,
  info: unlogged,
  warn: unlogged,
  error: unlogged,
  flush: unlogged,
  close: async () => undefined,
};

/** Creates an empty index. `settled` resolves when all of its tools are embedded. */
export function openEvalIndex(scoring: EvalScoring): { index: ToolIndex; settled: () => Promise<void> } {
  const words = createWordIndex();
  if (scoring === 'words') return { index: words, settled: async () => undefined };
  const { index, writer } = createHybridIndex({
    lexical: words,
    embeddings: embeddingsOf(scoring),
    store: createVectorStore(),
    isReady: () => true,
    onFallback: unlogged,
    log: noLog,
    timeoutMs: 600_000,
  });
  const settled = async () => {
    // The writer's timers do not keep the process alive.
    const keepAlive = setInterval(unlogged, 1_000);
    await writer.settled();
    clearInterval(keepAlive);
  };
  return { index, settled };
}

/** Indexes the tools of each server, and waits until all are embedded. */
export async function createEvalIndex(
  servers: ReadonlyMap<string, IndexedTool[]>,
  scoring: EvalScoring,
): Promise<ToolIndex> {
  const { index, settled } = openEvalIndex(scoring);
  for (const [serverId, tools] of servers) index.replaceServer(serverId, tools);
  await settled();
  return index;
}
