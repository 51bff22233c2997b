/** Learning from outcomes, on a hub with three real servers: search results before and after ten calls. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { json, startTestHub, type TestHub, type TestKey } from '../support/hub/hub.ts';
import { realServer } from '../support/servers/real-server.ts';

const query = 'read the notes I have stored';
const dayMs = 86_400_000;

let folder: string;
let hub: TestHub;
let caller: TestKey;
let other: TestKey;
let outsider: TestKey;
let watcher: TestKey;

const start = async () => {
  const mcpServers = {
    everything: realServer('everything'),
    files: realServer('filesystem', [folder]),
    memory: realServer('memory', [], { MEMORY_FILE_PATH: join(folder, 'memory.json') }),
  };
  // By words alone: the request is chosen so that its words do not put the right tool first.
  const environment = { HESTIA_EMBEDDINGS_MODEL: 'words' };
  const started = await startTestHub({ folder, file: { mcpServers }, environment });
  await vi.waitFor(
    async () => {
      const { items } = await json(started.operator.fetch('/v1/servers'));
      expect(items.map((one: { state: string }) => one.state)).toEqual(['connected', 'connected', 'connected']);
    },
    { timeout: 60_000 },
  );
  return started;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-learning-'));
  hub = await start();
  caller = await hub.key('caller');
  other = await hub.key('other');
  outsider = await hub.key('outsider', 'agent', 'elsewhere');
  watcher = await hub.key('watcher', 'auditor');
}, 60_000);
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const search = (key: TestKey) =>
  json(key.fetch('/v1/tools/search', { json: { query, explain: true, source: 'upstream' } }));
const place = (answer: { results: { toolName: string }[] }) =>
  answer.results.findIndex(({ toolName }) => toolName === 'read_graph');
const explanation = (answer: { results: { toolName: string; explanation: { words: string[]; parts: object } }[] }) =>
  answer.results.find(({ toolName }) => toolName === 'read_graph')?.explanation;
const call = (key: TestKey, searchId?: string) =>
  json(key.fetch('/v1/tools/memory/read_graph/call', { json: { arguments: {}, ...(searchId && { searchId }) } }));

describe('the same request', () => {
  test('ranks the tool that served it first after ten calls, and less strongly for another caller', async () => {
    const before = await search(caller);
    const outsiderBefore = await search(outsider);
    expect(place(before)).toBeGreaterThan(0);
    expect(explanation(before)?.parts).toMatchObject({ ownEvidence: 0, othersEvidence: 0, affinity: 0 });
    for (let at = 0; at < 10; at += 1) {
      const { searchId } = await search(caller);
      expect(await call(caller, searchId)).toMatchObject({ outcome: 'success' });
    }
    const after = await search(caller);
    const others = await search(other);
    expect(place(after)).toBe(0);
    expect(explanation(after)?.parts).toMatchObject({ ownEvidence: expect.closeTo(4, 3), othersEvidence: 0 });
    expect(explanation(after)?.words.join('\n')).toContain('your own outcomes of this request say +4.00');
    expect(place(others)).toBeLessThan(place(before));
    expect(explanation(await search(watcher))?.parts).toMatchObject({
      ownEvidence: 0,
      othersEvidence: expect.closeTo(1, 3),
      othersCount: 1,
    });
    expect((await search(outsider)).results).toEqual(outsiderBefore.results);
  });

  test('shows an agent nothing of the outcomes of others, only its own', async () => {
    const unlearned = explanation(await search(outsider));
    const shown = explanation(await search(other));
    expect(shown?.parts).toMatchObject({ ownEvidence: 0, othersEvidence: 0, othersCount: 0, explored: false });
    expect(shown).toEqual(unlearned);
    const { searchId } = await search(other);
    const kept = await json(other.fetch(`/v1/searches/${searchId}`));
    expect(explanation({ results: kept.shown })).toEqual(shown);
    expect(explanation({ results: (await json(watcher.fetch(`/v1/searches/${searchId}`))).shown })?.words).toContain(
      'outcomes of 1 other key say +1.00 log-odds',
    );
  });

  test('counts a call once, and only for a search that showed the tool to that key', async () => {
    const evidence = async () => (explanation(await search(other))?.parts ?? {}) as { ownEvidence: number };
    const theirs = await search(caller);
    await call(other, theirs.searchId);
    expect((await evidence()).ownEvidence).toBe(0);
    const own = await search(other);
    for (let at = 0; at < 3; at += 1) await call(other, own.searchId);
    expect((await evidence()).ownEvidence).toBeCloseTo(2.5, 3);
  });

  test('is explained later to its caller, operators and auditors, and to nobody else', async () => {
    const { searchId, results } = await search(caller);
    const auditor = await hub.key('auditor', 'auditor', 'elsewhere');
    for (const key of [caller, auditor, hub.operator]) {
      const kept = await json(key.fetch(`/v1/searches/${searchId}`));
      expect(kept).toMatchObject({ query, agentId: 'caller', scoring: 'lexical', source: 'upstream' });
      const own = (one: { explanation: { parts: { textScore: number; ownEvidence: number } } }) => {
        const { textScore, ownEvidence } = one.explanation.parts;
        return { textScore, ownEvidence };
      };
      expect(kept.shown.map(own)).toEqual(results.map(own));
      if (key === caller) {
        expect(kept.shown.map((one: { explanation: object }) => one.explanation)).toEqual(
          results.map((one: { explanation: object }) => one.explanation),
        );
      }
    }
    const absent = await json(other.fetch('/v1/searches/srch_00000000-0000-4000-8000-000000000000'));
    for (const key of [other, outsider]) {
      const refused = await key.fetch(`/v1/searches/${searchId}`);
      expect([refused.status, (await json(refused)).detail]).toEqual([404, absent.detail]);
    }
    expect((await caller.fetch('/v1/searches/nonsense')).status).toBe(400);
    expect((await hub.fetch(`/v1/searches/${searchId}`)).status).toBe(401);
  });

  test('leaves its text in no log line', () => {
    expect(hub.logLines().some((line) => JSON.stringify(line).includes(query))).toBe(false);
  });
});

describe('a restart of the hub', () => {
  /** The key at the hub of the last start. */
  const again = (key: TestKey): TestKey => ({
    ...key,
    fetch: (path, { headers, json: body, ...init } = {}) =>
      hub.fetch(path, { ...init, json: body, headers: { ...headers, authorization: `Bearer ${key.secret}` } }),
  });
  const restart = async (deletedFiles: readonly string[] = []) => {
    await hub[Symbol.asyncDispose]();
    for (const file of deletedFiles) await rm(join(folder, file), { force: true });
    hub = await start();
  };
  /** The tools in their order with the terms of their scores, as each key sees them. */
  const rankings = () => Promise.all([caller, other, outsider, watcher].map((key) => search(again(key)).then(ranking)));
  const ranking = ({ results }: { results: { toolName: string; explanation: { parts: object } }[] }) =>
    results.map(({ toolName, explanation: { parts } }) => [toolName, ...Object.entries(parts).flat()]);
  /** Evidence decays a little in between. */
  const close = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(close);
    return typeof value === 'number' ? expect.closeTo(value, 2) : value;
  };

  test.each([
    ['its views', []],
    ['views that are built anew from the journal', ['views.db', 'views.db-wal', 'views.db-shm']],
  ])(
    'ranks as before, with the same evidence, which it learned again from %s',
    async (_views, deletedFiles) => {
      const before = await rankings();
      expect(explanation(await search(again(caller)))?.parts).toMatchObject({ ownEvidence: expect.closeTo(4, 2) });
      await restart(deletedFiles);
      await vi.waitFor(async () => expect(await rankings()).toEqual(close(before)), { timeout: 10_000 });
    },
    60_000,
  );

  test('accepts outcomes of earlier searches', async () => {
    const earlier = await search(again(other));
    await restart();
    await call(again(other), earlier.searchId);
    expect(explanation(await search(again(other)))?.parts).toMatchObject({ ownEvidence: expect.closeTo(4, 3) });
  }, 60_000);

  test('is followed by a cleanup that deletes expired searches', async () => {
    const { searchId } = await search(hub.operator);
    await vi.waitFor(() => {
      using file = new DatabaseSync(hub.config.databaseFile, { readOnly: true });
      expect(file.prepare('SELECT 1 FROM searches WHERE search_id = ?').get(searchId)).toBeDefined();
    });
    hub.advance(31 * dayMs);
    const report = await json(hub.operator.fetch('/v1/scheduler/run', { method: 'POST' }));
    expect(report.deleted.searches).toBeGreaterThan(0);
    expect((await hub.operator.fetch(`/v1/searches/${searchId}`)).status).toBe(404);
  });
});
