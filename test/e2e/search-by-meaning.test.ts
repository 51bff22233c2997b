/** A hub with a real Chroma and an embeddings service, before, during and after an outage of Chroma. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { json, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { type Chroma, startChroma } from '../support/programs/chroma.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from '../support/servers/embeddings-server.ts';
import { realServer } from '../support/servers/real-server.ts';

const key = 'sk-never-shown';
/** Longer than the 150 ms that a search waits for Chroma, with room for a busy machine. Far below any timeout of the hub. */
const callMsMax = 1_500;

let chroma: Chroma;
let embeddings: EmbeddingsServer;
let hub: TestHub;

const readiness = async () => {
  const response = await hub.fetch('/readyz');
  return { status: response.status, ...(await json(response)) };
};
const search = (query: string) => json(hub.operator.fetch('/v1/tools/search', { json: { query, limit: 5 } }));
const found = async (query: string): Promise<string[]> =>
  (await search(query)).results.map(({ toolName }: { toolName: string }) => toolName);
/** Calls of which the fastest is compared: a hub that waited for Chroma would delay all, a busy machine delays some. */
const callsPerMeasurement = 3;
const sum = async () => {
  let ms = Number.POSITIVE_INFINITY;
  const outcomes = new Set<string>();
  for (let call = 0; call < callsPerMeasurement; call += 1) {
    const startedAt = performance.now();
    const body = { arguments: { a: 2, b: 3 } };
    const answer = await json(hub.operator.fetch('/v1/tools/everything/get-sum/call', { json: body }));
    ms = Math.min(ms, performance.now() - startedAt);
    outcomes.add(answer.outcome);
  }
  return { outcome: [...outcomes].join(), ms };
};

describeWith('chroma', 'a hub with Chroma and embeddings', () => {
  beforeAll(async () => {
    chroma = await startChroma();
    embeddings = await startEmbeddingsServer();
    embeddings.synonyms = [['sum', 'arithmetic']];
    hub = await startTestHub({
      file: { mcpServers: { everything: realServer('everything', ['stdio']) } },
      environment: {
        HESTIA_CHROMA_URL: chroma.url,
        HESTIA_EMBEDDINGS_URL: embeddings.url,
        HESTIA_EMBEDDINGS_MODEL: 'test-model',
        HESTIA_EMBEDDINGS_KEY: key,
      },
    });
    await vi.waitFor(async () => expect(await chroma.count('tools')).toBeGreaterThan(20), { timeout: 60_000 });
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
    await embeddings[Symbol.asyncDispose]();
    await chroma[Symbol.asyncDispose]();
  });

  test('reports both in its readiness, with the version of Chroma', async () => {
    // Prompts and resources may still be listed.
    const backlog = () => readiness().then(({ dependencies }) => dependencies.chroma.backlog);
    await expect.poll(backlog, { timeout: 60_000 }).toBe(0);
    expect(await readiness()).toMatchObject({
      status: 'ready',
      dependencies: {
        toolIndex: { state: 'up', kind: 'chroma' },
        chroma: { state: 'up', version: expect.stringMatching(/^\d/) },
        embeddings: { state: 'up', kind: 'endpoint' },
      },
    });
  });

  test('finds a tool that shares no word with the query', async () => {
    await expect.poll(() => found('arithmetic')).toContain('get-sum');
  });

  test('calls and searches while Chroma hangs and while it is down, and stays ready', async () => {
    chroma.freeze();
    expect(await sum()).toMatchObject({ outcome: 'success', ms: expect.toSatisfy((ms: number) => ms < callMsMax) });
    expect(await found('sum of two numbers')).toContain('get-sum');
    chroma.thaw();
    await chroma.stop();
    await expect.poll(async () => (await readiness()).dependencies.chroma.state).toBe('down');
    expect(await readiness()).toMatchObject({ status: 'ready', dependencies: { toolIndex: { state: 'up' } } });
    expect(await sum()).toMatchObject({ outcome: 'success', ms: expect.toSatisfy((ms: number) => ms < callMsMax) });
    expect(await found('sum of two numbers')).toContain('get-sum');
    await chroma.start();
    await expect.poll(async () => (await readiness()).dependencies.chroma.state).toBe('up');
    await expect.poll(() => found('arithmetic')).toContain('get-sum');
  });

  test('logs once that Chroma is unavailable, once that it is back, and never the key', async () => {
    const messages = hub.logLines().map(({ message }) => message);
    expect(messages.filter((message) => String(message).startsWith('Chroma is unavailable'))).toHaveLength(1);
    expect(messages.filter((message) => message === 'Chroma is available again')).toHaveLength(1);
    expect(embeddings.requests.every(({ authorization }) => authorization === `Bearer ${key}`)).toBe(true);
    const shown = JSON.stringify([hub.logLines(), await readiness(), await search('sum')]);
    expect(shown).not.toContain(key);
  });
});
