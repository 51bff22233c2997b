/** A search of the hub's, all signals on, against a query of a Chroma server that holds as many vectors. */

import { startChroma } from '../support/chroma.ts';
import { isPresent } from '../support/requirements.ts';
import { startBenchHub } from './bench-hub.ts';
import { startBenchScript } from './bench-process.ts';
import { ratioFinding } from './findings.ts';
import { httpLoader } from './load.ts';
import { manyToolsQuery, manyToolsServers } from './many-tools.ts';
import type { Suite } from './suite.ts';

/** Numbers in a vector, as of all-MiniLM-L6-v2. */
const dimensions = 384;
const batchSize = 1000;

export const suite: Suite = {
  name: 'search',
  about: 'a search of 10,000 tools against a query of Chroma',
  async run({ paired, tell, isQuick }) {
    if (!isPresent('chroma')) {
      tell('left out: chroma is not installed');
      return [];
    }
    const toolsCount = isQuick ? 1000 : 10_000;
    await using sink = await startBenchScript('signal-sink.ts');
    await using hub = await startBenchHub({ servers: manyToolsServers(toolsCount, 1000), otlpUrl: sink.url });
    await using chroma = await startChroma();
    const collection = await chroma.client.createCollection({ name: 'bench', embeddingFunction: null });
    for (let from = 0; from < toolsCount; from += batchSize) {
      const ids = Array.from({ length: batchSize }, (_, index) => `tool-${from + index}`);
      await collection.add({ ids, embeddings: ids.map(() => vector()) });
    }
    const headers = { 'content-type': 'application/json' };
    await using search = httpLoader({
      url: hub.url,
      path: '/v1/tools/search',
      headers: { ...headers, authorization: `Bearer ${hub.key()}` },
      body: (index) => JSON.stringify({ query: manyToolsQuery((index * 37) % toolsCount), limit: 10 }),
      isAnswer: (body) => body.includes('"results":[{'),
      pid: hub.child.pid ?? 0,
    });
    const queries = Array.from({ length: 64 }, () => JSON.stringify({ query_embeddings: [vector()], n_results: 10 }));
    await using query = httpLoader({
      url: chroma.url,
      path: `/api/v2/tenants/default_tenant/databases/default_database/collections/${collection.id}/query`,
      headers,
      body: (index) => queries[index % queries.length] ?? '',
      isAnswer: (body) => body.includes('"ids":[['),
      pid: hub.child.pid ?? 0,
    });
    const run = await paired('search, 1 in flight', [query.subject('Chroma', 1), search.subject('search', 1)]);
    const name = 'search of 10,000 tools against a query of Chroma, p50';
    return [
      ratioFinding(run, { name: isQuick ? name.replace('10,000', '1,000') : name, measure: 'p50', subject: 'search' }),
    ];
  },
};

/** A random direction of length 1. */
function vector(): number[] {
  const numbers = Array.from({ length: dimensions }, () => Math.random() - 0.5);
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}
