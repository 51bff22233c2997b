/** Search of many tools, in process and by HTTP, compared with a query of as many vectors in Chroma. */
import { createWordIndex } from '../../../src/search-index/words/word-index.ts';
import { type Chroma, startChroma } from '../../support/programs/chroma.ts';
import { isPresent } from '../../support/programs/requirements.ts';
import { startBenchHub } from '../bench-hub.ts';
import { startBenchScript } from '../bench-process.ts';
import { ratioFinding } from '../findings.ts';
import { httpLoader, loadSlice } from '../load.ts';
import { manyIndexedTools, manyToolsQuery, manyToolsServers } from '../many-tools.ts';
import { randomVector } from '../many-vectors.ts';
import type { Subject } from '../paired.ts';
import type { Suite } from '../suite.ts';

const batchSize = 1000;
const limit = 10;

export const suite: Suite = {
  name: 'search',
  about: 'a search of 10,000 tools against a query of Chroma',
  async run({ paired, reportProgress, isQuick }) {
    if (!isPresent('chroma')) {
      reportProgress('left out: chroma is not installed');
      return [];
    }
    const toolsCount = isQuick ? 1000 : 10_000;
    const named = (what: string) => `${what} of ${isQuick ? '1,000' : '10,000'} tools against a query of Chroma`;
    await using owned = new AsyncDisposableStack();
    const chroma = owned.use(await startChroma());
    const collection = await filledCollection(chroma, toolsCount);
    const query = inProcess('Chroma', async () => {
      const { ids } = await collection.query({
        queryEmbeddings: [randomVector()],
        nResults: limit,
        include: ['distances'],
      });
      if (ids[0]?.length !== limit) throw new Error('Chroma found too few');
    });
    const index = filledIndex(toolsCount);
    const search = inProcess('search', async (round) => {
      const { found } = await index.search({ query: queryOf(round, toolsCount), limit, namespace: 'default' });
      if (found.length !== limit) throw new Error('the index found too few');
    });
    const within = await paired('search in process, 1 in flight', [query, search], { noiseMeasure: 'p50' });
    const subjects = await httpSubjects(owned, { chroma, collectionId: collection.id, toolsCount });
    const byHttp = await paired('search by HTTP, 1 in flight', subjects, { noiseMeasure: 'p50' });
    return [
      ratioFinding(within, { name: `${named('search')}, p50`, measure: 'p50', subject: 'search' }),
      ratioFinding(byHttp, {
        name: `${named('search')}, both by HTTP, with ranking and record, p50`,
        measure: 'p50',
        subject: 'search',
      }),
    ];
  },
};

async function filledCollection({ client }: Chroma, toolsCount: number) {
  const collection = await client.createCollection({ name: 'bench', embeddingFunction: null });
  for (let from = 0; from < toolsCount; from += batchSize) {
    const ids = Array.from({ length: batchSize }, (_, index) => `tool-${from + index}`);
    await collection.add({ ids, embeddings: ids.map(randomVector) });
  }
  return collection;
}

function filledIndex(toolsCount: number) {
  const index = createWordIndex();
  index.replaceServer('many-0', manyIndexedTools(0, toolsCount));
  return index;
}

const queryOf = (round: number, toolsCount: number) => manyToolsQuery((round * 37) % toolsCount);

function inProcess(name: string, once: (round: number) => Promise<void>): Subject {
  let round = 0;
  const call = () => {
    round += 1;
    return once(round);
  };
  return { name, slice: (durationMs) => loadSlice(call, { durationMs, inFlight: 1, pid: process.pid }) };
}

/** The query of Chroma, and the hub's search with ranking, record and all signals, both by the same HTTP client. */
async function httpSubjects(
  owned: AsyncDisposableStack,
  { chroma, collectionId, toolsCount }: { chroma: Chroma; collectionId: string; toolsCount: number },
): Promise<Subject[]> {
  const sink = owned.use(await startBenchScript('processes/signal-sink.ts'));
  const tools = owned.use(await startBenchScript('processes/many-tools-server.ts'));
  const hub = owned.use(
    await startBenchHub({ servers: manyToolsServers(tools.url, toolsCount, batchSize), otlpUrl: sink.url }),
  );
  const pid = hub.child.pid ?? 0;
  const headers = { 'content-type': 'application/json' };
  const search = httpLoader({
    url: hub.url,
    path: '/v1/tools/search',
    headers: { ...headers, authorization: `Bearer ${hub.key()}` },
    body: (round) => JSON.stringify({ query: queryOf(round, toolsCount), limit }),
    isAnswer: (body) => body.includes('"results":[{'),
    pid,
  });
  const queries = Array.from({ length: 64 }, () =>
    JSON.stringify({ query_embeddings: [randomVector()], n_results: limit }),
  );
  const query = httpLoader({
    url: chroma.url,
    path: `/api/v2/tenants/default_tenant/databases/default_database/collections/${collectionId}/query`,
    headers,
    body: (round) => queries[round % queries.length] ?? '',
    isAnswer: (body) => body.includes('"ids":[['),
    pid,
  });
  return [owned.use(query).subject('Chroma', 1), owned.use(search).subject('search', 1)];
}
