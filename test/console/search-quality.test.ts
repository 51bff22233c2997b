/** The page of the quality of search, and its routes: what was asked, shown and used. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleReader, signIn } from '../support/console-reader.ts';
import { json, type TestKey } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { realServer } from '../support/servers/real-server.ts';

let hub: ListeningHub;
let agent: TestKey;
let operator: ConsoleReader;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { everything: realServer('everything', ['stdio']) } } });
  await untilConnected(hub, 'everything');
  agent = await hub.key('adder');
  const { searchId, results } = await search(agent, 'add two numbers');
  expect(results[0]).toMatchObject({ toolName: 'get-sum' });
  await call(agent, 'get-sum', { a: 1, b: 2 }, searchId);
  await search(agent, 'qwertz uiop');
  await search(agent, 'qwertz uiop');
  await search(await hub.key('reader-bot'), 'echo a message');
  operator = await signIn(hub, hub.operator.secret);
});
afterAll(() => hub[Symbol.asyncDispose]());

const search = (key: TestKey, query: string) => json(key.fetch('/v1/tools/search', { json: { query } }));
const call = (key: TestKey, tool: string, args: object, searchId: string) =>
  key.fetch(`/v1/tools/everything/${tool}/call`, { json: { arguments: args, searchId } });

describe('the page of search quality', () => {
  test('shows what was asked, shown and used, with the place of what was used', async () => {
    const page = await operator.read('/console/search-quality?agent=adder');
    expect(page).toContain('add two numbers');
    expect(page).toMatch(/everything\/get-sum<\/a>, place 1 <span class="badge good">success<\/span>/);
  });

  test('says what the hub keeps of searches, and for how long', async () => {
    const page = await operator.read('/console/search-quality');
    expect(page).toContain('keeps the text and the results of a search for 30 days');
  });

  test('is filtered to the requests that found nothing', async () => {
    const page = await operator.read('/console/search-quality?found=nothing');
    expect(page).toContain('qwertz uiop');
    expect(page).not.toContain('add two numbers');
  });

  test('is for auditors and operators', async () => {
    const reader = await signIn(hub, agent.secret);
    expect((await reader.get('/console/search-quality')).status).toBe(403);
    expect(await reader.read('/')).not.toContain('search-quality');
  });
});

describe('the routes of searches', () => {
  test('list searches with their uses, page by page', async () => {
    const first = await json(hub.operator.fetch('/v1/searches?limit=3'));
    expect(first.items.map(({ query }: { query: string }) => query)).toEqual([
      'echo a message',
      'qwertz uiop',
      'qwertz uiop',
    ]);
    const second = await json(hub.operator.fetch(`/v1/searches?limit=3&cursor=${first.nextCursor}`));
    expect(second.items).toHaveLength(1);
    expect(second.items[0]).toMatchObject({
      agentId: 'adder',
      query: 'add two numbers',
      uses: [{ serverId: 'everything', toolName: 'get-sum', place: 1, outcome: 'success' }],
    });
  });

  test('sum up what was used, what found nothing, and what was shown in vain', async () => {
    const quality = await json(hub.operator.fetch('/v1/search-quality'));
    expect(quality).toMatchObject({
      searches: 4,
      isComplete: true,
      foundNothing: 2,
      used: 1,
      places: { first: 1, third: 0, tenth: 0, later: 0 },
      queriesWithoutResult: [{ query: 'qwertz uiop', count: 2 }],
    });
    const unused = quality.neverUsed.map(({ toolName }: { toolName: string }) => toolName);
    expect(unused).toContain('echo');
    expect(unused).not.toContain('get-sum');
    const ofOne = await json(hub.operator.fetch('/v1/search-quality?agent=reader-bot'));
    expect(ofOne).toMatchObject({ searches: 1, foundNothing: 0, used: 0 });
  });

  test('are refused to agents', async () => {
    expect((await agent.fetch('/v1/searches')).status).toBe(403);
    expect((await agent.fetch('/v1/search-quality')).status).toBe(403);
  });
});
