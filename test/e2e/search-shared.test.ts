/** Two hubs with one Chroma: what outcomes taught the one, the other knows. */
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
/** Searches, and uses the sum for it. */
async function teach(hub: TestHub, query: string): Promise<void> {
  const { searchId } = await search(hub, query);
  const call = { arguments: { a: 2, b: 3 }, searchId };
  const answer = await json(hub.operator.fetch('/v1/tools/everything/get-sum/call', { json: call }));
  expect(answer.outcome).toBe('success');
}
/** What others' outcomes add to the sum for a request. */
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

  test('learn from each other, each lesson once, for the request that it is of', async () => {
    // Both know the tool before one of them is taught about it.
    for (const hub of [one, other]) {
      await expect.poll(() => evidenceOfOthers(hub, 'get the sum'), { timeout: 15_000 }).toBe(0);
    }
    await teach(one, 'get the sum');
    await expect.poll(() => evidenceOfOthers(other, 'get the sum'), { timeout: 15_000 }).toBeGreaterThan(0);
    const taught = await evidenceOfOthers(other, 'get the sum');
    expect(await chroma.count('outcomes')).toBe(1);
    // Read again and again, it counts once.
    await teach(one, 'sum of my bills');
    await expect.poll(() => evidenceOfOthers(other, 'sum of my bills'), { timeout: 15_000 }).toBeGreaterThan(0);
    expect(await evidenceOfOthers(other, 'get the sum')).toBeCloseTo(taught ?? Number.NaN, 2);
    expect(await evidenceOfOthers(other, 'get sums together')).toBe(0);
  });

  test('know what was learned while Chroma was gone, once it is back', async () => {
    await chroma.stop();
    await teach(one, 'sum for the tax office');
    await chroma.start();
    await expect.poll(() => chroma.count('outcomes'), { timeout: 15_000 }).toBe(3);
    await expect.poll(() => evidenceOfOthers(other, 'sum for the tax office'), { timeout: 15_000 }).toBeGreaterThan(0);
  });
});
