import { expect, test } from 'vitest';
import { json, startTestHub, type TestKey } from '../../support/hub/hub.ts';

const search = (key: TestKey, query: string) => json(key.fetch('/v1/tools/search', { json: { query } }));

test('of the stored searches only the newest are kept, as many as the configuration says', async () => {
  await using hub = await startTestHub({ file: { retention: { searchesMax: 100 } } });
  const agent = await hub.key('asker');
  for (let at = 0; at < 130; at += 1) await search(agent, `status of round ${at}`);
  const stored = async () => {
    const { items } = await json(hub.operator.fetch('/v1/searches?limit=200'));
    return items.map(({ query }: { query: string }) => query);
  };
  const newest = Array.from({ length: 100 }, (_, at) => `status of round ${129 - at}`);
  await expect.poll(stored, { timeout: 60_000 }).toEqual(newest);
}, 120_000);
