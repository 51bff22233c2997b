import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolOutcome } from '../../src/shapes/tool.ts';
import { createOutcomeStore, type OutcomeStore } from '../../src/stores/outcome-store.ts';
import { createSchedulerStore } from '../../src/stores/scheduler-store.ts';
import { openStoreDatabase, type StoreDatabase } from '../support/store-database.ts';

let store: StoreDatabase;
let outcomes: OutcomeStore;
beforeEach(async () => {
  store = await openStoreDatabase();
  outcomes = createOutcomeStore(store.database);
});
afterEach(() => store[Symbol.asyncDispose]());

let calls = 0;
const outcome = (changes: Partial<ToolOutcome> = {}): ToolOutcome => {
  calls += 1;
  return {
    callId: `call-${calls}`,
    serverId: 's',
    toolName: 't',
    agentId: 'a',
    namespace: 'default',
    keyId: 'k',
    outcome: 'success',
    latencyMs: 1,
    recordedAt: 1,
    ...changes,
  };
};
const insert = (item: ToolOutcome) => store.database.transaction((tx) => outcomes.insert(tx, item));

describe('an outcome', () => {
  test('is read back unchanged', async () => {
    const full = outcome({ outcome: 'error', errorType: 'timeout', searchId: 'srch', latencyMs: 12.345 });
    await insert(full);
    expect(await outcomes.find(full.callId)).toEqual(full);
    expect(await outcomes.find('nothing')).toBeUndefined();
  });

  test('counts in the statistics of its tool: outcomes, mean, 95th percentile, last call', async () => {
    for (let latencyMs = 1; latencyMs <= 100; latencyMs += 1)
      await insert(outcome({ latencyMs, recordedAt: latencyMs }));
    await insert(outcome({ toolName: 'other', outcome: 'abandoned', namespace: 'elsewhere' }));
    const all = await outcomes.statistics({});
    expect(all.find(({ toolName }) => toolName === 't')).toEqual({
      serverId: 's',
      toolName: 't',
      calls: 100,
      outcomes: { success: 100, error: 0, timeout: 0, abandoned: 0 },
      latencyMsMean: 50.5,
      // Interpolated between the 95th and the 96th of a hundred.
      latencyMsP95: 95.05,
      lastCalledAt: 100,
    });
    expect(await outcomes.statistics({ namespace: 'elsewhere' })).toMatchObject([
      { toolName: 'other', calls: 1, outcomes: { abandoned: 1 } },
    ]);
  });

  test('is pruned once it is old, in batches', async () => {
    for (const recordedAt of [1, 2, 3, 4]) await insert(outcome({ recordedAt }));
    const prune = () => store.database.transaction((tx) => outcomes.prune(tx, { before: 4, limit: 2 }));
    expect([await prune(), await prune(), await prune()]).toEqual([2, 1, 0]);
    expect(await outcomes.statistics({})).toMatchObject([{ calls: 1 }]);
  });
});

describe('the totals of the scheduler', () => {
  test('are zero at first, and are read back as saved', async () => {
    const scheduler = createSchedulerStore(store.database);
    expect(await scheduler.totals()).toEqual({
      totalCleanups: 0,
      totalDeleted: 0,
      lastRunTime: undefined,
      lastSuccessTime: undefined,
    });
    const totals = { totalCleanups: 2, totalDeleted: 30, lastRunTime: 5, lastSuccessTime: 4 };
    await store.database.transaction((tx) => scheduler.saveTotals(tx, totals));
    expect(await scheduler.totals()).toEqual(totals);
  });
});
