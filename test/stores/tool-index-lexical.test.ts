/** The index while tools come and go: what a change costs, whom it concerns, and that it leaves no trace. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndex } from '../../src/stores/tool-index.ts';
import { createLexicalToolIndex } from '../../src/stores/tool-index-lexical.ts';
import { describeToolIndex, indexedTool } from '../support/tool-index-contract.ts';

describeToolIndex('the lexical index', async () => ({
  index: createLexicalToolIndex(),
  settled: async () => undefined,
  close: async () => undefined,
}));

let index: ToolIndex;
beforeEach(() => {
  index = createLexicalToolIndex();
});

const tool = (serverId: string, toolName: string, description: string, namespace?: string) =>
  indexedTool(serverId, toolName, description, { namespace });

const search = async (query: string, { namespace = 'default', limit = 10, from = index } = {}) =>
  (await from.search({ query, limit, namespace })).found.map((found) => ({
    name: found.tool.definition.toolName,
    ...found,
  }));
const names = async (query: string, options: { namespace?: string; limit?: number } = {}) =>
  (await search(query, options)).map(({ name }) => name);

describe('replacing a server', () => {
  test('costs in proportion to its own tools, not to all', async () => {
    const listed = (serverId: string, count: number, round = 0) =>
      Array.from({ length: count }, (_, at) => tool(serverId, `tool_${at}`, `words number${at} round${round}`));
    const buildStart = performance.now();
    index.replaceServer('large', listed('large', 5_000));
    const buildMs = performance.now() - buildStart;
    const changesStart = performance.now();
    for (let round = 1; round <= 100; round += 1) index.replaceServer('small', listed('small', 10, round));
    // A thousand tools were indexed again; building all anew each time would take a hundred times as long.
    expect(performance.now() - changesStart).toBeLessThan(buildMs * 10);
    expect(index.list({})).toHaveLength(5_010);
  });

  test('keeps the last of two tools of one name', async () => {
    index.replaceServer('s', [tool('s', 'one', 'alpha'), tool('s', 'one', 'beta')]);
    expect(index.list({})).toHaveLength(1);
    expect([await names('alpha'), await names('beta')]).toEqual([[], ['one']]);
  });

  test('leaves no trace: scores are those of an index that never saw what is gone', async () => {
    const kept = [tool('s', 'one', 'alpha beta'), tool('s', 'two', 'alpha'), tool('s', 'three', 'alpha alpha gamma')];
    index.replaceServer('s', kept.slice(0, 1));
    for (let at = 0; at < 200; at += 1) index.put(tool('s', `gone_${at}`, 'alpha beta delta '.repeat((at * 7) % 31)));
    index.replaceServer('s', kept);
    const fresh = createLexicalToolIndex();
    fresh.replaceServer('s', kept.toReversed());
    expect(await search('alpha beta')).toHaveLength(3);
    expect(await search('alpha beta')).toEqual(await search('alpha beta', { from: fresh }));
  });
});

describe('a namespace', () => {
  test('finds its own tool before the limit counts those of others', async () => {
    for (let at = 0; at < 50; at += 1) index.put(tool('s', `deploy_${at}`, 'deploy', 'blue'));
    index.put(tool('s', 'release', 'may also deploy, among much else that it does', 'red'));
    expect(await names('deploy', { namespace: 'red', limit: 1 })).toEqual(['release']);
    expect(await names('deploy', { namespace: 'green' })).toEqual([]);
  });
});

describe('a typing error', () => {
  test.each([
    ['one letter missing, four left', 'alpa', 'alpha', false],
    ['one letter wrong of six', 'deplay', 'deploy', true],
    ['two letters wrong of six', 'daplay', 'deploy', false],
    ['two letters wrong of ten', 'repositari', 'repository', true],
    ['one letter wrong of four', 'lust', 'list', false],
    ['one digit wrong', '123456', '123457', false],
  ])('%s: %s for %s is found: %s', async (_what, query, word, isFound) => {
    index.put(tool('s', 'one', word));
    expect(await names(query)).toEqual(isFound ? ['one'] : []);
  });

  test('never comes before the word itself', async () => {
    index.put(tool('s', 'near', 'deplay'));
    index.put(tool('s', 'exact', 'deploy'));
    expect(await names('deploy')).toEqual(['exact', 'near']);
  });
});

describe('pairs of characters', () => {
  test('find a part of an unspaced text and nothing that it does not hold', async () => {
    index.put(tool('s', 'forecast', '查询城市的天气预报'));
    expect(await names('天气')).toEqual(['forecast']);
    expect(await names('气天')).toEqual([]);
  });
});
