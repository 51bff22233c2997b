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

interface Told {
  key?: string;
  query?: string;
  latencyMs?: number;
  blame?: number;
  at?: number;
  server?: string;
}

function learn(toolName: string, outcome: Outcome, told: Told = {}) {
  const { key = 'me', query = 'q', latencyMs = 100, blame = 0.5, at = 0, server = 's' } = told;
  calls += 1;
  const ids = { callId: `call_${calls}`, searchId: `srch_${calls}`, namespace: 'default', keyId: key };
  memory.learn({ ...ids, queryKey: query, serverId: server, toolName, outcome, latencyMs, blame, recordedAt: at });
}

/** The order for a key, by tools whose text scores fall evenly from 1. */
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
  test('the order is that of the text, and says so', () => {
    expect(order()).toEqual(names);
    expect(ranked().map(({ parts }) => parts.textRank)).toEqual(names.map((_, at) => at + 1));
    expect(ranked()[0]?.score).toBe(1);
  });

  test('nothing at all is ranked to nothing', () => {
    expect(ranked({}, [])).toEqual([]);
  });
});

describe('a success', () => {
  test('puts the tool first for the key and the request it served, at once', () => {
    learn('tool_04', 'success');
    expect(order()[0]).toBe('tool_04');
    expect(partsOf('tool_04')).toMatchObject({ ownEvidence: 2.5, othersEvidence: 0, explored: false });
  });

  test('counts for others too, and for less', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { key: 'other' })).toMatchObject({ ownEvidence: 0, othersEvidence: 1, othersCount: 1 });
    expect(placeOf('tool_04', { key: 'other' })).toBeLessThan(4);
  });

  test('says nothing about another request, but for habit', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { query: 'another' })).toMatchObject({ ownEvidence: 0, affinity: 1 });
    expect(order({ query: 'another' })[0]).toBe('tool_00');
  });

  test('never crosses a namespace', () => {
    for (let at = 0; at < 10; at += 1) learn('tool_04', 'success');
    expect(order({ namespace: 'elsewhere' })).toEqual(names);
  });

  test('fades by half in 30 days', () => {
    learn('tool_04', 'success');
    expect(partsOf('tool_04', { at: 30 * dayMs })?.ownEvidence).toBeCloseTo(1.25);
  });

  test('never weighs more than the cap, however often', () => {
    for (let at = 0; at < 100; at += 1) learn('tool_04', 'success');
    expect(partsOf('tool_04')?.ownEvidence).toBe(4);
  });
});

describe('a failure', () => {
  test('puts a tool that is right behind its twin on another server within two calls', () => {
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

  test('of a tool that was surely right is not held against the choice', () => {
    expect(blameOf({ relevance: 0.99, availability: 0.5 })).toBeLessThan(0.02);
    expect(blameOf({ relevance: 0.01, availability: 0.97 })).toBeGreaterThan(0.9);
  });

  test('to be quick counts partly as being down', () => {
    learn('tool_00', 'success', { latencyMs: 10_000 });
    learn('tool_01', 'success', { latencyMs: 100 });
    expect(partsOf('tool_00')?.availability).toBeLessThan(partsOf('tool_01')?.availability ?? 0);
  });
});

describe('availability', () => {
  const down = (keyId: string, failures = 5) => ({ keyId, successes: 0, failures });

  test('is the prior where nothing is known', () => {
    expect(availabilityFor('me', [])).toBeCloseTo(0.9);
  });

  test('hardly falls by one other key that says so, and falls by two', () => {
    const one = availabilityFor('me', [down('liar', 500)]);
    const two = availabilityFor('me', [down('liar', 500), down('honest')]);
    expect(one).toBeGreaterThan(0.8);
    expect(two).toBeLessThan(one);
  });

  test('follows what the key saw itself before what others say', () => {
    const others = [down('a'), down('b'), down('c')];
    expect(availabilityFor('me', [...others, { keyId: 'me', successes: 6, failures: 0 }])).toBeGreaterThan(0.8);
    expect(availabilityFor('me', [down('me')])).toBeLessThan(0.3);
  });
});

describe('one dishonest key', () => {
  test('that praises one tool for everything moves no other key', () => {
    for (let at = 0; at < 600; at += 1) learn('tool_11', 'success', { key: 'mallory', query: `q${at}` });
    const parts = partsOf('tool_11', { key: 'honest', query: 'q5' });
    expect(parts?.othersEvidence).toBeLessThan(0.05);
    expect(order({ key: 'honest', query: 'q5' })).toEqual(names);
  });

  test('that praises a tool a thousand times for one request counts once', () => {
    for (let at = 0; at < 1_000; at += 1) learn('tool_11', 'success', { key: 'mallory' });
    expect(partsOf('tool_11', { key: 'honest' })?.othersEvidence).toBe(1);
    expect(placeOf('tool_11', { key: 'honest' })).toBeGreaterThan(0);
  });

  test('with many keys stays within what all others may say together', () => {
    for (let at = 0; at < 30; at += 1) learn('tool_11', 'success', { key: `mallory-${at}` });
    expect(partsOf('tool_11', { key: 'honest' })?.othersEvidence).toBe(2.5);
  });
});

describe('exploration', () => {
  test('never touches the places before its own', () => {
    learn('tool_00', 'abandoned');
    const without = ranked().toSorted((one, other) => other.parts.total - one.parts.total);
    expect(order().slice(0, explorationPlace)).toEqual(
      without.slice(0, explorationPlace).map(({ tool }) => tool.definition.toolName),
    );
    expect(ranked()[explorationPlace]?.parts.explored).toBe(true);
    expect(new Set(order()).size).toBe(names.length);
  });

  test('gives each later tool its turn', () => {
    const tried = new Set<string | undefined>();
    for (let at = 0; at < 10; at += 1) {
      learn('tool_00', 'abandoned');
      tried.add(order()[explorationPlace]);
    }
    expect(tried.size).toBeGreaterThan(5);
  });

  test('ends where something has served the request', () => {
    learn('tool_00', 'abandoned');
    learn('tool_01', 'success');
    expect(ranked().some(({ parts }) => parts.explored)).toBe(false);
  });
});
