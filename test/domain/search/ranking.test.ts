import { beforeEach, describe, expect, test } from 'vitest';
import { createOutcomeMemory, type OutcomeMemory } from '../../../src/domain/search/outcome-memory.ts';
import { availabilityFor, blameOf, rankTools } from '../../../src/domain/search/ranking.ts';
import { explorationPlace } from '../../../src/domain/search/ranking-constants.ts';
import type { Outcome } from '../../../src/shapes/event.ts';
import { indexedTool } from '../../support/tool-index-contract.ts';

const dayMs = 86_400_000;
const names = Array.from({ length: 12 }, (_, at) => `tool_${String(at).padStart(2, '0')}`);
const tools = names.map((name) => indexedTool('s', name, name));

let memory: OutcomeMemory;
let calls: number;
beforeEach(() => {
  memory = createOutcomeMemory();
  calls = 0;
});

interface LessonOptions {
  key?: string;
  query?: string;
  latencyMs?: number;
  blame?: number;
  at?: number;
  server?: string;
}

function learn(toolName: string, outcome: Outcome, options: LessonOptions = {}) {
  const { key = 'me', query = 'q', latencyMs = 100, blame = 0.5, at = 0, server = 's' } = options;
  calls += 1;
  const ids = { callId: `call_${calls}`, searchId: `srch_${calls}`, namespace: 'default', keyId: key };
  memory.learn({ ...ids, queryKey: query, serverId: server, toolName, outcome, latencyMs, blame, recordedAt: at });
}

/** Ranks tools whose text scores decrease evenly from 1. */
function ranked({ key = 'me', query = 'q', at = 0, namespace = 'default' } = {}, candidates = tools) {
  const recollection = memory.recall({ namespace, keyId: key, queryKey: query, at });
  return rankTools(
    candidates.map((tool, place) => ({ tool, textScore: 1 - place * 0.03 })),
    { keyId: key, recollection, definitionOf: ({ definition }) => definition.description },
  );
}
const order = (...args: Parameters<typeof ranked>) => ranked(...args).map(({ tool }) => tool.definition.toolName);
const placeOf = (name: string, who = {}) => order(who).indexOf(name);
const partsOf = (name: string, who = {}) => ranked(who).find(({ tool }) => tool.definition.toolName === name)?.parts;

describe('without outcomes', () => {
  test('tools are ordered by their text', () => {
    expect(order()).toEqual(names);
    expect(ranked().map(({ parts }) => parts.textRank)).toEqual(names.map((_, at) => at + 1));
    expect(ranked()[0]?.score).toBe(1);
  });

  test('an empty list stays empty', () => {
    expect(ranked({}, [])).toEqual([]);
  });
});

describe('a success', () => {
  test('immediately puts the tool first for the same key and query', () => {
    learn('tool_04', 'success');
    expect(order()[0]).toBe('tool_04');
    expect(partsOf('tool_04')).toMatchObject({ ownEvidence: 2.5, othersEvidence: 0, explored: false });
  });

  test('also counts for other keys, with less weight', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { key: 'other' })).toMatchObject({ ownEvidence: 0, othersEvidence: 1, othersCount: 1 });
    expect(placeOf('tool_04', { key: 'other' })).toBeLessThan(4);
  });

  test('counts for other queries only as habit', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { query: 'another' })).toMatchObject({ ownEvidence: 0, affinity: 1 });
    expect(order({ query: 'another' })[0]).toBe('tool_00');
  });

  test('has no effect in other namespaces', () => {
    for (let at = 0; at < 10; at += 1) learn('tool_04', 'success');
    expect(order({ namespace: 'elsewhere' })).toEqual(names);
  });

  test('has a half-life of 30 days', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { at: 30 * dayMs })?.ownEvidence).toBeCloseTo(1.25);
  });

  test('adds up to no more than the limit', () => {
    for (let at = 0; at < 100; at += 1) learn('tool_04', 'success');
    expect(partsOf('tool_04')?.ownEvidence).toBe(4);
  });
});

describe('a failure', () => {
  test('ranks the same tool on another server higher after two timeouts', () => {
    const twins = [indexedTool('a', 'fetch', 'same'), indexedTool('b', 'fetch', 'same')];
    learn('fetch', 'success', { server: 'a' });
    expect(ranked({}, twins)[0]?.tool.definition.serverId).toBe('a');
    for (let at = 0; at < 2; at += 1) learn('fetch', 'timeout', { server: 'a', blame: 0.1 });
    const [first, second] = ranked({}, twins);
    expect(first?.tool.definition.serverId).toBe('b');
    expect(first?.parts.ownEvidence).toBe(second?.parts.ownEvidence);
  });

  test.each<[Outcome, number]>([
    ['abandoned', -2.5],
    ['error', -0.25],
    ['timeout', -0.1],
  ])('%s counts against relevance by %d', (outcome, evidence) => {
    learn('tool_00', outcome);
    expect(partsOf('tool_00')?.ownEvidence).toBeCloseTo(evidence);
  });

  test.each<[Outcome, number]>([
    ['abandoned', 0],
    ['error', -0.25],
  ])('%s of two other keys adds %d each: absence of a caller says nothing about a tool', (outcome, evidence) => {
    for (const key of ['eve', 'mallory']) learn('tool_00', outcome, { key });
    expect(partsOf('tool_00')?.othersEvidence).toBeCloseTo(2 * evidence);
  });

  test('abandoned by other keys, however often, leaves a tool first that another used with success', () => {
    learn('tool_00', 'success', { key: 'honest' });
    const totals = () => ranked({ key: 'bystander' }).map(({ tool, parts }) => [tool, parts.total]);
    const before = totals();
    for (let at = 0; at < 10; at += 1) for (const key of ['eve', 'mallory']) learn('tool_00', 'abandoned', { key });
    expect(totals()).toEqual(before);
  });

  test('of a tool that was almost certainly right hardly counts against its relevance', () => {
    expect(blameOf({ relevance: 0.99, availability: 0.5 })).toBeLessThan(0.02);
    expect(blameOf({ relevance: 0.01, availability: 0.97 })).toBeGreaterThan(0.9);
  });

  test('to answer quickly lowers the availability', () => {
    learn('tool_00', 'success', { latencyMs: 10_000 });
    learn('tool_01', 'success', { latencyMs: 100 });
    expect(partsOf('tool_00')?.availability).toBeLessThan(partsOf('tool_01')?.availability ?? 0);
  });
});

describe('availability', () => {
  const down = (keyId: string, failures = 5) => ({ keyId, successes: 0, failures, requestsCount: 1 });

  test('is the prior without observations', () => {
    expect(availabilityFor('me', [])).toBeCloseTo(0.9);
  });

  test('decreases little with the failures of one other key, and more with those of two', () => {
    const one = availabilityFor('me', [down('liar', 500)]);
    const two = availabilityFor('me', [down('liar', 500), down('honest')]);
    expect(one).toBeGreaterThan(0.8);
    expect(two).toBeLessThan(one);
  });

  test('does not rise above the prior with successes of others, which outweigh failures', () => {
    const praised = ['one', 'two', 'three'].map((keyId) => ({
      keyId,
      successes: 200,
      failures: 0,
      requestsCount: 1,
    }));
    expect(availabilityFor('me', praised)).toBeCloseTo(0.9);
    const failed = [down('one'), down('two'), down('three')];
    expect(
      availabilityFor('me', [...praised.map((seen) => ({ ...seen, keyId: `${seen.keyId}+` })), ...failed]),
    ).toBeGreaterThan(availabilityFor('me', failed));
  });

  test('weighs own observations of the key more than those of others', () => {
    const others = [down('a'), down('b'), down('c')];
    expect(
      availabilityFor('me', [...others, { keyId: 'me', successes: 6, failures: 0, requestsCount: 1 }]),
    ).toBeGreaterThan(0.8);
    expect(availabilityFor('me', [down('me')])).toBeLessThan(0.3);
  });
});

describe('a dishonest key', () => {
  test('with successes of one tool for many queries does not change the order for others', () => {
    for (let at = 0; at < 600; at += 1) learn('tool_11', 'success', { key: 'mallory', query: `q${at}` });
    const parts = partsOf('tool_11', { key: 'honest', query: 'q5' });
    expect(parts?.othersEvidence).toBeLessThan(0.005);
    expect(order({ key: 'honest', query: 'q5' })).toEqual(names);
  });

  test('with a thousand successes of one tool for one query counts once', () => {
    for (let at = 0; at < 1_000; at += 1) learn('tool_11', 'success', { key: 'mallory' });
    expect(partsOf('tool_11', { key: 'honest' })?.othersEvidence).toBe(1);
    expect(placeOf('tool_11', { key: 'honest' })).toBeGreaterThan(0);
  });

  test('that is one of many stays within the limit of all other keys together', () => {
    for (let at = 0; at < 30; at += 1) learn('tool_11', 'success', { key: `mallory-${at}` });
    expect(partsOf('tool_11', { key: 'honest' })?.othersEvidence).toBe(2.5);
  });
});

describe('two dishonest keys together', () => {
  const attack = (outcome: Outcome, toolName: string) => {
    for (let at = 0; at < 20; at += 1) for (const key of ['eve', 'mallory']) learn(toolName, outcome, { key });
  };

  test.each<Outcome>(['error', 'timeout', 'abandoned'])(
    'with outcomes %s leave a tool at its place that two others used with success',
    (outcome) => {
      for (const key of ['anna', 'ben']) learn('tool_03', 'success', { key });
      expect(placeOf('tool_03', { key: 'bystander' })).toBe(0);
      attack(outcome, 'tool_03');
      expect(placeOf('tool_03', { key: 'bystander' })).toBe(0);
    },
  );

  test('do not put another tool before the first one that two others used with success', () => {
    for (const key of ['anna', 'ben']) learn('tool_00', 'success', { key });
    attack('error', 'tool_00');
    attack('success', 'tool_09');
    expect(order({ key: 'bystander' })[0]).toBe('tool_00');
  });

  test('that praise one tool for hundreds of queries leave it as it is for others with whom it fails', () => {
    const bystander = { key: 'bystander', query: 'q5' };
    for (const key of ['anna', 'ben', 'carl']) learn('tool_00', 'error', { key, query: 'q5' });
    const before = partsOf('tool_00', bystander);
    for (let at = 0; at < 300; at += 1) {
      for (const key of ['eve', 'mallory']) learn('tool_00', 'success', { key, query: `q${at}` });
    }
    const after = partsOf('tool_00', bystander);
    expect(after?.availability).toBeCloseTo(before?.availability ?? 0, 2);
    expect(after?.othersEvidence).toBeCloseTo(before?.othersEvidence ?? 0, 1);
    expect(after?.total).toBeCloseTo(before?.total ?? 0, 1);
  });

  test('are believed where no key has succeeded with the tool', () => {
    attack('error', 'tool_00');
    expect(placeOf('tool_00', { key: 'bystander' })).toBeGreaterThan(0);
  });
});

describe('exploration', () => {
  test('does not change the places before its own', () => {
    learn('tool_00', 'abandoned');
    const without = ranked().toSorted((one, other) => other.parts.total - one.parts.total);
    expect(order().slice(0, explorationPlace)).toEqual(
      without.slice(0, explorationPlace).map(({ tool }) => tool.definition.toolName),
    );
    expect(ranked()[explorationPlace]?.parts.explored).toBe(true);
    expect(new Set(order()).size).toBe(names.length);
  });

  test('tries the later tools in turn', () => {
    const tried = new Set<string | undefined>();
    for (let at = 0; at < 10; at += 1) {
      learn('tool_00', 'abandoned');
      tried.add(order()[explorationPlace]);
    }
    expect(tried.size).toBeGreaterThan(5);
  });

  test('stops once a tool has succeeded for the query', () => {
    learn('tool_00', 'abandoned');
    learn('tool_01', 'success');
    expect(ranked().some(({ parts }) => parts.explored)).toBe(false);
  });
});
