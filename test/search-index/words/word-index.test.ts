/** The word index: the cost and effects of changes, namespaces, typing errors and order. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndex } from '../../../src/search-index/tool-index.ts';
import { createWordIndex } from '../../../src/search-index/words/word-index.ts';
import { describeToolIndex, indexedTool } from '../../support/tool-index-contract.ts';

describeToolIndex('the word index', async () => ({
  index: createWordIndex(),
  settled: async () => undefined,
  close: async () => undefined,
}));

let index: ToolIndex;
beforeEach(() => {
  index = createWordIndex();
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
  test('has a cost proportional to its own tools, not to all', async () => {
    const listed = (serverId: string, count: number, round = 0) =>
      Array.from({ length: count }, (_, at) => tool(serverId, `tool_${at}`, `words number${at} round${round}`));
    const buildStart = performance.now();
    index.replaceServer('large', listed('large', 5_000));
    const buildMs = performance.now() - buildStart;
    const changesStart = performance.now();
    for (let round = 1; round <= 100; round += 1) index.replaceServer('small', listed('small', 10, round));
    // A thousand tools were indexed again. Rebuilding the whole index each time would take a hundred times as long.
    expect(performance.now() - changesStart).toBeLessThan(buildMs * 10);
    expect(index.list({})).toHaveLength(5_010);
  });

  test('keeps the last of two tools of one name', async () => {
    index.replaceServer('s', [tool('s', 'one', 'alpha'), tool('s', 'one', 'beta')]);
    expect(index.list({})).toHaveLength(1);
    expect([await names('alpha'), await names('beta')]).toEqual([[], ['one']]);
  });

  test('leaves the scores of an index that never contained the removed tools', async () => {
    const kept = [tool('s', 'one', 'alpha beta'), tool('s', 'two', 'alpha'), tool('s', 'three', 'alpha alpha gamma')];
    index.replaceServer('s', kept.slice(0, 1));
    for (let at = 0; at < 200; at += 1) index.put(tool('s', `gone_${at}`, 'alpha beta delta '.repeat((at * 7) % 31)));
    index.replaceServer('s', kept);
    const fresh = createWordIndex();
    fresh.replaceServer('s', kept.toReversed());
    expect(await search('alpha beta')).toHaveLength(3);
    expect(await search('alpha beta')).toEqual(await search('alpha beta', { from: fresh }));
  });
});

describe('a namespace', () => {
  test('finds its own tool, and tools of others do not count for the limit', async () => {
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

  test('is not considered if the word itself is known', async () => {
    index.put(tool('s', 'near', 'deplay'));
    index.put(tool('s', 'exact', 'deploy'));
    expect(await names('deploy')).toEqual(['exact']);
  });
});

describe('the order of what is found', () => {
  test.each([
    ['the same form of a word before another', 'show keys', ['keys_show', 'key_show']],
    ['the name before the description', 'secret', ['secret_get', 'vault_get']],
    ['the complete name before a part of it', 'account list', ['account_list', 'account_device_list_export']],
    ['a name that contains the word before one that does not', 'vault secret', ['keyvault_secret', 'secret_note']],
    ['adjacent words before the same words apart', 'container registry', ['one', 'two']],
  ])('puts %s', async (_what, query, expected) => {
    index.put(tool('s', 'keys_show', 'shows'));
    index.put(tool('s', 'key_show', 'shows'));
    index.put(tool('s', 'secret_get', 'gets'));
    index.put(tool('s', 'vault_get', 'gets a secret'));
    index.put(tool('s', 'account_list', 'lists'));
    index.put(tool('s', 'account_device_list_export', 'exports'));
    index.put(tool('s', 'keyvault_secret', 'keeps'));
    index.put(tool('s', 'secret_note', 'keeps'));
    index.put(tool('s', 'one', 'The container registry of a cloud'));
    index.put(tool('s', 'two', 'The registry of a container cloud'));
    const found = await names(query);
    expect(found.filter((name) => expected.includes(name))).toEqual(expected);
  });

  test('finds a compound name in any spelling', async () => {
    index.put(tool('s', 'one', 'Issues on GitHub'));
    expect(await names('github')).toEqual(['one']);
    expect(await names('GitHub')).toEqual(['one']);
  });
});

describe('a tool of another namespace', () => {
  test('affects neither results nor scores', async () => {
    const own = () => search('deploy the billing service', { namespace: 'red' });
    index.put(tool('s', 'deploy', 'deploys a service'));
    index.put(tool('s', 'billing', 'billing reports', 'red'));
    const before = await own();
    for (let at = 0; at < 30; at += 1) index.put(tool('s', `other_${at}`, 'deploys the billing service', 'blue'));
    expect(await own()).toEqual(before);
  });

  test('affects no typing errors: neither which words are known, nor by which they are replaced', async () => {
    const own = () => search('deplay the bilings', { namespace: 'red' });
    index.put(tool('s', 'deploy', 'deploys a service'));
    index.put(tool('s', 'billing', 'billings', 'red'));
    const before = await own();
    expect(before).toHaveLength(2);
    const words = ['deplay', 'dealay', 'depaay', 'deplaa', 'bilings', 'aillings', 'billingsa'];
    index.put(tool('s', 'other', words.join(' '), 'blue'));
    expect(await own()).toEqual(before);
  });
});

describe('an index whose tools change', () => {
  const listed = (count: number, text: string) =>
    Array.from({ length: count }, (_, at) => tool('many', `tool_${at}`, `${text}, part ${at % 10} of number${at}`));

  test('returns the same as a new one while removed tools are swept, and after changes in between', async () => {
    index.replaceServer('many', listed(400, 'lists things'));
    const changes = index.replaceServerInSlices('many', listed(100, 'shows things'));
    for (let at = 0; at < 12; at += 1) {
      index.put(tool('other', `put_${at % 4}`, `lists things, shows part ${at}`));
      index.remove({ serverId: 'other', toolName: `put_${(at + 1) % 4}`, namespace: undefined });
      await new Promise(setImmediate);
      const fresh = createWordIndex();
      for (const left of index.list({})) fresh.put(left);
      expect(await search('lists or shows part 7')).toEqual(await search('lists or shows part 7', { from: fresh }));
    }
    await changes;
    expect(index.list({ serverId: 'many' })).toHaveLength(100);
  });

  test('returns the same as a new one after thousands of changes of single tools', async () => {
    index.replaceServer('many', listed(20, 'lists things'));
    for (let at = 0; at < 3_000; at += 1) index.put(tool('other', 'changing', `lists round ${at}`));
    const fresh = createWordIndex();
    for (const left of index.list({})) fresh.put(left);
    expect(await search('lists round 2999 of things')).toEqual(
      await search('lists round 2999 of things', { from: fresh }),
    );
    expect([await names('2998'), await names('2999')]).toEqual([[], ['changing']]);
  });
});

describe('pairs of characters', () => {
  test('find a part of an unspaced text, and nothing that it does not contain', async () => {
    index.put(tool('s', 'forecast', '查询城市的天气预报'));
    expect(await names('天气')).toEqual(['forecast']);
    expect(await names('气天')).toEqual([]);
  });

  test('return the same results after numbers of removed documents were used again, prepared or not', async () => {
    const index = createWordIndex();
    const other = [tool('other', 'stays', 'Lists what stays the same.')];
    index.replaceServer('other', other);
    const round = (number: number) =>
      Array.from({ length: 30 }, (_, at) =>
        tool('many', `tool_${at}`, `Lists the things of round ${number}, part ${at}.`),
      );
    for (let number = 1; number <= 100; number += 1) {
      const tools = round(number);
      if (number % 2 === 0) await index.replaceServerInSlices('many', tools);
      else index.replaceServer('many', tools);
    }
    const fresh = createWordIndex();
    fresh.replaceServer('many', round(100));
    fresh.replaceServer('other', other);
    for (const query of ['lists the things of part 7', 'what stays', 'round 100', 'round 99']) {
      const request = { query, limit: 50, namespace: 'default' };
      expect(await index.search(request)).toEqual(await fresh.search(request));
    }
  });
});
