import { beforeEach, describe, expect, test } from 'vitest';
import { createSearchLog, quotedMsMax, type SearchLog, unquotedMsMax } from '../../../src/domain/search/log.ts';
import type { SearchRecord } from '../../../src/shapes/search.ts';
import type { ToolOutcome } from '../../../src/shapes/tool.ts';

let log: SearchLog;
beforeEach(() => {
  log = createSearchLog();
});

const parts = {
  textLogOdds: 0,
  affinity: 0,
  ownEvidence: 0,
  othersEvidence: 0,
  othersCount: 0,
  relevance: 0.5,
  availability: 0.9,
  total: -1,
  explored: false,
};
const search = (searchId: string, toolNames: string[], options: Partial<SearchRecord> = {}): SearchRecord => ({
  searchId,
  keyId: 'key',
  agentId: 'agent',
  namespace: 'default',
  query: 'text',
  queryKey: searchId,
  source: 'all',
  scoring: 'lexical',
  shown: toolNames.map((toolName) => ({ serverId: 's', toolName, parts })),
  searchedAt: 0,
  ...options,
});
const outcome = (toolName: string, options: Partial<ToolOutcome> = {}): ToolOutcome => ({
  callId: 'call',
  serverId: 's',
  toolName,
  agentId: 'agent',
  namespace: 'default',
  keyId: 'key',
  outcome: 'success',
  latencyMs: 1,
  recordedAt: 1_000,
  ...options,
});

describe('an outcome', () => {
  test('that quotes its search is attributed to it, with the rank of the tool', () => {
    log.add(search('srch_1', ['a', 'b']));
    log.add(search('srch_2', ['b']));
    expect(log.credit(outcome('b', { searchId: 'srch_1' }))).toMatchObject({
      place: 2,
      isFirst: true,
      lesson: { searchId: 'srch_1', queryKey: 'srch_1', toolName: 'b' },
    });
  });

  test('that quotes no search is attributed to the last one of its key that showed the tool', () => {
    log.add(search('srch_1', ['a']));
    log.add(search('srch_2', ['a']));
    log.add(search('srch_3', ['b']));
    log.add(search('srch_4', ['a'], { keyId: 'other' }));
    expect(log.credit(outcome('a'))?.lesson.searchId).toBe('srch_2');
  });

  test('counts only once for a search and a tool', () => {
    log.add(search('srch_1', ['a', 'b']));
    expect(log.credit(outcome('a', { searchId: 'srch_1' }))).toBeDefined();
    expect(log.credit(outcome('a', { searchId: 'srch_1' }))).toBeUndefined();
    expect(log.credit(outcome('a'))).toBeUndefined();
    expect(log.credit(outcome('b', { searchId: 'srch_1' }))).toMatchObject({ isFirst: false });
  });

  test('of a tool is not attributed to a prompt or resource of its name', () => {
    const offer = { kind: 'prompts', key: 'a' } as const;
    log.add(search('srch_1', ['b'], { shown: [{ serverId: 's', toolName: 'a', offer, parts }] }));
    expect(log.credit(outcome('a', { searchId: 'srch_1' }))).toBeUndefined();
    log.add(
      search('srch_2', [], {
        shown: [offer, undefined].map((of) => ({ serverId: 's', toolName: 'a', offer: of, parts })),
      }),
    );
    expect(log.credit(outcome('a', { searchId: 'srch_2' }))).toMatchObject({ place: 2 });
  });

  test.each<[string, Partial<ToolOutcome>]>([
    ['of a tool that the search did not show', { toolName: 'unseen' }],
    ['of a tool of that name on another server', { serverId: 'elsewhere' }],
    ['of another key that quotes it', { keyId: 'mallory' }],
    ['that quotes an unknown search', { searchId: 'srch_9' }],
    ['that comes too late', { recordedAt: quotedMsMax + 1 }],
  ])('%s is not attributed', (_what, options) => {
    log.add(search('srch_1', ['a']));
    expect(log.credit(outcome('a', { searchId: 'srch_1', ...options }))).toBeUndefined();
  });

  test('that quotes no search is not attributed after the time limit', () => {
    log.add(search('srch_1', ['a']));
    expect(log.credit(outcome('a', { recordedAt: unquotedMsMax + 1 }))).toBeUndefined();
  });

  test('is attributed to a stored search of an earlier process, once', () => {
    const stored = search('srch_1', ['a']);
    expect(log.credit(outcome('a', { searchId: 'srch_1' }), stored)?.lesson.searchId).toBe('srch_1');
    expect(log.credit(outcome('a', { searchId: 'srch_1' }), stored)).toBeUndefined();
  });
});
