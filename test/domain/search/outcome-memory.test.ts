import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOutcomeMemory, type OutcomeMemory } from '../../../src/domain/search/outcome-memory.ts';
import { memoryLimits } from '../../../src/domain/search/ranking-constants.ts';
import type { Lesson } from '../../../src/shapes/search.ts';

const lesson = (options: Partial<Lesson>): Lesson => ({
  callId: 'call',
  searchId: 'srch',
  namespace: 'default',
  keyId: 'key',
  queryKey: 'query',
  serverId: 's',
  toolName: 'tool',
  outcome: 'success',
  latencyMs: 1,
  blame: 0.5,
  recordedAt: 0,
  ...options,
});
const evidence = (memory: OutcomeMemory, queryKey: string) => [
  ...memory.recall({ namespace: 'default', keyId: 'key', queryKey, at: 0 }).evidence.values(),
];

describe('the outcome memory', () => {
  test('evicts the least recently used query beyond its limit', () => {
    const memory = createOutcomeMemory();
    for (let at = 0; at <= memoryLimits.requestsMax; at += 1) {
      if (at === memoryLimits.requestsMax) memory.learn(lesson({ queryKey: 'q0' }));
      memory.learn(lesson({ queryKey: `q${at}` }));
    }
    expect(evidence(memory, 'q0')).toHaveLength(1);
    expect(evidence(memory, 'q1')).toEqual([]);
    expect(evidence(memory, `q${memoryLimits.requestsMax}`)).toHaveLength(1);
  });

  test('limits the tools of a query and the keys of a tool', () => {
    const memory = createOutcomeMemory();
    for (let at = 0; at < 200; at += 1) memory.learn(lesson({ toolName: `tool_${at}` }));
    for (let at = 0; at < 200; at += 1) memory.learn(lesson({ keyId: `key_${at}`, queryKey: 'other' }));
    expect(evidence(memory, 'query')).toHaveLength(memoryLimits.toolsPerRequestMax);
    expect(evidence(memory, 'other')[0]?.byKey).toHaveLength(memoryLimits.keysPerToolMax);
  });

  test('counts the queries for which a key has evidence about a tool, without evicted ones', () => {
    const memory = createOutcomeMemory();
    for (let at = 0; at < 30; at += 1) memory.learn(lesson({ queryKey: `q${at}` }));
    expect(evidence(memory, 'q3')[0]?.byKey[0]?.requestsCount).toBe(30);
    for (let at = 0; at < memoryLimits.requestsMax - 10; at += 1) {
      memory.learn(lesson({ queryKey: `x${at}`, toolName: 'another' }));
    }
    expect(evidence(memory, 'q29')[0]?.byKey[0]?.requestsCount).toBe(10);
  });

  test('learns only the availability of the tool from a query without content words', () => {
    const memory = createOutcomeMemory();
    const { queryKey: _none, ...without } = lesson({ outcome: 'error' });
    memory.learn(without);
    const recollection = memory.recall({ namespace: 'default', keyId: 'key', queryKey: undefined, at: 0 });
    expect(recollection.evidence.size).toBe(0);
    expect(recollection.observations(JSON.stringify([null, 's', 'tool']))).toMatchObject([{ failures: 0.5 }]);
  });

  test('recalls the same after it is rebuilt from the same lessons', () => {
    const arbitrary = fc.record({
      keyId: fc.constantFrom('a', 'b', 'c'),
      queryKey: fc.constantFrom('one', 'two'),
      toolName: fc.constantFrom('x', 'y', 'z'),
      outcome: fc.constantFrom('success', 'error', 'timeout', 'abandoned'),
      latencyMs: fc.integer({ min: 0, max: 20_000 }),
      blame: fc.double({ min: 0, max: 1, noNaN: true }),
      recordedAt: fc.integer({ min: 0, max: 90 * 86_400_000 }),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 40 }), (lessons) => {
        const [live, rebuilt] = [createOutcomeMemory(), createOutcomeMemory()];
        for (const one of lessons) live.learn(lesson(one));
        rebuilt.learn(lesson({ queryKey: 'one' }));
        rebuilt.clear();
        for (const one of lessons) rebuilt.learn(lesson(one));
        for (const queryKey of ['one', 'two']) {
          const search = { namespace: 'default', keyId: 'a', queryKey, at: 100 * 86_400_000 };
          expect(rebuilt.recall(search).evidence).toEqual(live.recall(search).evidence);
        }
      }),
    );
  });
});
