/** Statistics of few or mixed outcomes, outcomes that are refused, and the order of pruning. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolOutcome } from '../../src/shapes/tool.ts';
import { createOutcomeStore, type OutcomeStore } from '../../src/stores/outcome-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let outcomes: OutcomeStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  outcomes = createOutcomeStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

const insert = (callId: string, changes: Partial<ToolOutcome> = {}) =>
  store.database.transaction((tx) =>
    outcomes.insert(tx, {
      callId,
      serverId: 's',
      toolName: 't',
      agentId: 'a',
      namespace: 'default',
      keyId: 'k',
      outcome: 'success',
      latencyMs: 1,
      recordedAt: 1,
      ...changes,
    }),
  );

describe('the statistics of a tool', () => {
  test('are empty before its first call, and then consist of that call', async () => {
    expect(await outcomes.statistics({})).toEqual([]);
    await insert('only', { latencyMs: 12.5 });
    expect(await outcomes.statistics({})).toMatchObject([{ calls: 1, latencyMsMean: 12.5, latencyMsP95: 12.5 }]);
  });

  test('count each of the four outcomes separately', async () => {
    const given = ['success', 'success', 'success', 'error', 'error', 'timeout', 'abandoned'] as const;
    for (const [at, outcome] of given.entries()) await insert(`call-${at}`, { outcome });
    expect(await outcomes.statistics({})).toMatchObject([
      { calls: 7, outcomes: { success: 3, error: 2, timeout: 1, abandoned: 1 } },
    ]);
  });

  test('are of one namespace or of all, ordered by server and tool', async () => {
    await insert('1', { serverId: 'b', latencyMs: 10 });
    await insert('2', { serverId: 'a', toolName: 'z' });
    await insert('3', { serverId: 'a', toolName: 'y' });
    await insert('4', { serverId: 'b', latencyMs: 30, namespace: 'red' });
    const rows = async (filter: { namespace?: string }) =>
      (await outcomes.statistics(filter)).map((row) => [row.serverId, row.toolName, row.calls, row.latencyMsMean]);
    expect(await rows({})).toEqual([
      ['a', 'y', 1, 1],
      ['a', 'z', 1, 1],
      ['b', 't', 2, 20],
    ]);
    expect(await rows({ namespace: 'red' })).toEqual([['b', 't', 1, 30]]);
  });
});

describe('an outcome', () => {
  test('of a call that has one already is refused, and the first one stays', async () => {
    await insert('call');
    await expect(insert('call', { outcome: 'error' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await outcomes.find('call')).toMatchObject({ outcome: 'success' });
  });

  test('with a negative latency is refused', async () => {
    await expect(insert('call', { latencyMs: -1 })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  test('is pruned before newer ones, in whatever order they were stored', async () => {
    for (const recordedAt of [3, 1, 4, 2]) await insert(`at-${recordedAt}`, { recordedAt });
    await store.database.transaction((tx) => outcomes.prune(tx, { before: 9, limit: 2 }));
    const kept = await Promise.all([1, 2, 3, 4].map(async (at) => (await outcomes.find(`at-${at}`)) !== undefined));
    expect(kept).toEqual([false, false, true, true]);
  });
});
