/** Two hubs that share a Chroma, and learn from each other's outcomes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { type Chroma, startChroma } from '../support/programs/chroma.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../support/servers/embeddings-server.ts';
import { realServer } from '../support/servers/real-server.ts';

let chroma: Chroma;
let embeddings: EmbeddingsServer;
let one: TestHub;
let other: TestHub;

const startHub = () =>
  startTestHub({
    file: { mcpServers: { everything: realServer('everything', ['stdio']) } },
    environment: {
      HESTIA_CHROMA_URL: chroma.url,
      HESTIA_EMBEDDINGS_URL: embeddings.url,
      HESTIA_EMBEDDINGS_MODEL: 'test-model',
    },
  });
const search = ({ operator }: TestHub, query: string) =>
  json(operator.fetch('/v1/tools/search', { json: { query, limit: 10, explain: true } }));
/** Searches, and calls the tool `get-sum` with the search id. */
async function teach(hub: TestHub, query: string): Promise<void> {
  const { searchId } = await search(hub, query);
  const call = { arguments: { a: 2, b: 3 }, searchId };
  const answer = await json(hub.operator.fetch('/v1/tools/everything/get-sum/call', { json: call }));
  expect(answer.outcome).toBe('success');
}
/** The evidence of others' outcomes for `get-sum` and a query. */
const evidenceOfOthers = async (hub: TestHub, query: string): Promise<number | undefined> =>
  (await search(hub, query)).results.find(({ toolName }: { toolName: string }) => toolName === 'get-sum')?.explanation
    .parts.othersEvidence;

describeWith('chroma', 'two hubs with one Chroma', () => {
  beforeAll(async () => {
    chroma = await startChroma();
    embeddings = await startEmbeddingsServer();
    [one, other] = await Promise.all([startHub(), startHub()]);
  });
  afterAll(async () => {
    await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
    await embeddings[Symbol.asyncDispose]();
    await chroma[Symbol.asyncDispose]();
  });

  test('learn from each other, each outcome once, for its query', async () => {
    // Both hubs have the tool before one of them records an outcome.
    for (const hub of [one, other]) {
      await expect.poll(() => evidenceOfOthers(hub, 'get the sum')).toBe(0);
    }
    await teach(one, 'get the sum');
    await expect.poll(() => evidenceOfOthers(other, 'get the sum')).toBeGreaterThan(0);
    const taught = await evidenceOfOthers(other, 'get the sum');
    expect(await chroma.count('outcomes')).toBe(1);
    // It is read repeatedly, but counts once.
    await teach(one, 'sum of my bills');
    await expect.poll(() => evidenceOfOthers(other, 'sum of my bills')).toBeGreaterThan(0);
    expect(await evidenceOfOthers(other, 'get the sum')).toBeCloseTo(taught ?? Number.NaN, 2);
    expect(await evidenceOfOthers(other, 'get sums together')).toBe(0);
  });

  test('share what was learned during an outage of Chroma, once it is back', async () => {
    await chroma.stop();
    await teach(one, 'sum for the tax office');
    await chroma.start();
    await expect.poll(() => chroma.count('outcomes')).toBe(3);
    await expect.poll(() => evidenceOfOthers(other, 'sum for the tax office')).toBeGreaterThan(0);
  });
});
