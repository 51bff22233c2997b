/** The contract of tool indexes, which the test of each implementation runs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolIndex, ToolIndexQuery } from '../../src/search-index/tool-index.ts';
import type { IndexedTool, ToolSource } from '../../src/shapes/tool.ts';

/** An index under test. */
export interface IndexUnderTest {
  index: ToolIndex;
  /** Resolves when everything added so far can be found by all parts of the index. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** A tool with the given properties and defaults. */
export function indexedTool(
  serverId: string,
  toolName: string,
  description = '',
  options: { namespace?: string | undefined; source?: ToolSource; properties?: object } = {},
): IndexedTool {
  return {
    source: options.source ?? 'upstream',
    namespace: options.namespace,
    definition: {
      serverId,
      toolName,
      title: undefined,
      description,
      inputSchema: { type: 'object', properties: options.properties ?? {} },
      outputSchema: undefined,
      annotations: undefined,
    },
  };
}

/** Runs the contract for the indexes that `create` returns. */
export function describeToolIndex(name: string, create: () => Promise<IndexUnderTest>): void {
  describe(name, () => {
    let index: ToolIndex;
    let underTest: IndexUnderTest;
    beforeEach(async () => {
      underTest = await create();
      index = underTest.index;
    });
    afterEach(() => underTest.close());

    const tool = indexedTool;
    const found = async (query: string, options: Partial<ToolIndexQuery> = {}) => {
      await underTest.settled();
      return (await index.search({ query, limit: 10, namespace: 'default', ...options })).found;
    };
    const names = async (query: string, options: Partial<ToolIndexQuery> = {}) =>
      (await found(query, options)).map(({ tool: { definition } }) => `${definition.serverId}/${definition.toolName}`);

    describe('search', () => {
      test.each([
        ['the parts of a name in snake case', 'read file', 'files/read_text_file'],
        ['the parts of a name in camel case', 'list issues', 'git/listIssues'],
        ['words of the description', 'weather forecast', 'sky/get_data'],
        ['names of parameters', 'zipcode', 'sky/get_data'],
        ['a word with a typing error', 'wether forcast', 'sky/get_data'],
        ['the singular of a plural', 'issue', 'git/listIssues'],
        ['Chinese text', '天气', 'cn/tianqi'],
        ['Japanese text', '天気予報', 'jp/yoho'],
      ])('finds by %s', async (_how, query, expected) => {
        index.replaceServer('files', [
          tool('files', 'read_text_file', 'Reads text.'),
          tool('files', 'write_file', 'Writes.'),
        ]);
        index.replaceServer('git', [tool('git', 'listIssues', 'Lists them.')]);
        index.replaceServer('sky', [
          tool('sky', 'get_data', 'Weather forecast for a place.', { properties: { zipcode: { type: 'string' } } }),
        ]);
        index.replaceServer('cn', [tool('cn', 'tianqi', '查询城市的天气预报')]);
        index.replaceServer('jp', [tool('jp', 'yoho', '都市の天気予報を調べる')]);
        expect((await names(query))[0]).toBe(expected);
      });

      test('finds only tools of the namespace and those of all namespaces', async () => {
        index.put(tool('hestia', 'skill_a', 'deploy', { namespace: 'red', source: 'skill' }));
        index.put(tool('hestia', 'skill_b', 'deploy', { namespace: 'blue', source: 'skill' }));
        index.put(tool('ci', 'deploy', 'deploy'));
        expect((await names('deploy', { namespace: 'red' })).toSorted()).toEqual(['ci/deploy', 'hestia/skill_a']);
        expect(await names('deploy', { namespace: 'red', limit: 1 })).toHaveLength(1);
        expect(index.find({ serverId: 'hestia', toolName: 'skill_b', namespace: 'red' })).toBeUndefined();
      });

      test('filters by source before it applies the limit', async () => {
        index.replaceServer(
          'many',
          Array.from({ length: 50 }, (_, at) => tool('many', `deploy_${at}`, 'deploy')),
        );
        index.put(
          tool('hestia', 'skill_deploy', 'something about a deploy', { namespace: 'default', source: 'skill' }),
        );
        expect(await names('deploy', { source: 'skill', limit: 1 })).toEqual(['hestia/skill_deploy']);
      });

      test('returns the same order, in whatever order tools were added', async () => {
        const tools = ['c', 'a', 'b'].map((name) => tool('s', name, 'identical words'));
        index.replaceServer('s', tools);
        const first = await names('identical words');
        index.replaceServer('s', tools.toReversed());
        expect(await names('identical words')).toEqual(first);
        expect(first).toEqual(['s/a', 's/b', 's/c']);
      });

      test('excludes tools that are not usable before it applies the limit', async () => {
        index.put(tool('a', 'deploy', 'deploy'));
        index.put(tool('b', 'release', 'may also deploy, among much else that it does'));
        expect(await names('deploy', { limit: 1, isUsable: ({ definition }) => definition.serverId === 'b' })).toEqual([
          'b/release',
        ]);
      });

      test('filters by server before it applies the limit', async () => {
        index.put(tool('a', 'deploy', 'deploy'));
        index.put(tool('b', 'release', 'may also deploy, among much else that it does'));
        expect(await names('deploy', { limit: 1, serverId: 'b' })).toEqual(['b/release']);
      });

      test('returns scores in descending order, the best with 1', async () => {
        index.put(tool('a', 'deploy', 'deploy'));
        index.put(tool('b', 'release', 'may also deploy, among much else that it does'));
        const scores = (await found('deploy')).map(({ score }) => score);
        expect(scores[0]).toBe(1);
        expect(scores).toEqual(scores.toSorted((one, other) => other - one));
        expect(scores.every((score) => score > 0)).toBe(true);
      });

      test.each(['', '   ', '!?', '\u0000', 'x'.repeat(2000), '🙂'])('accepts the query %j', async (query) => {
        index.put(tool('s', 'echo', 'echoes'));
        await expect(found(query)).resolves.toBeInstanceOf(Array);
      });
    });

    describe('a server', () => {
      test('of a server in slices ends with its new tools alone, and keeps those of others', async () => {
        const many = Array.from({ length: 250 }, (_, at) => tool('a', `tool${at}`, 'alpha'));
        index.replaceServer('a', [tool('a', 'old', 'alpha'), tool('a', 'tool0', 'beta')]);
        index.replaceServer('b', [tool('b', 'one', 'alpha')]);
        await index.replaceServerInSlices('a', many);
        expect(index.list({ serverId: 'a' })).toHaveLength(250);
        expect(await names('alpha', { serverId: 'b' })).toEqual(['b/one']);
        expect((await found('alpha', { limit: 300, serverId: 'a' })).length).toBeGreaterThan(90);
        await index.replaceServerInSlices('a', []);
        expect(await names('alpha')).toEqual(['b/one']);
      });

      test('has only the tools of its last list, and other servers keep theirs', async () => {
        index.replaceServer('a', [tool('a', 'one', 'alpha'), tool('a', 'two', 'alpha')]);
        index.replaceServer('b', [tool('b', 'one', 'alpha')]);
        index.replaceServer('a', [tool('a', 'two', 'beta'), tool('a', 'three', 'alpha')]);
        expect((await names('alpha')).toSorted()).toEqual(['a/three', 'b/one']);
        expect(index.list({ serverId: 'a' }).map(({ definition }) => definition.toolName)).toEqual(['three', 'two']);
        index.replaceServer('a', []);
        expect(index.list({})).toHaveLength(1);
      });

      test('may have a tool replaced and removed', async () => {
        index.put(tool('a', 'one', 'alpha'));
        index.put(tool('a', 'one', 'beta'));
        const byWords = (await found('alpha')).filter(({ parts }) => parts.lexical !== undefined);
        expect(byWords).toEqual([]);
        expect(await names('beta')).toEqual(['a/one']);
        expect(index.remove({ serverId: 'a', toolName: 'one', namespace: undefined })).toBe(true);
        expect(index.remove({ serverId: 'a', toolName: 'one', namespace: undefined })).toBe(false);
        expect(await names('beta')).toEqual([]);
      });

      test('counts the tools that a namespace sees, and knows whether any passes the filters', () => {
        index.replaceServer('git', [tool('git', 'commit'), tool('git', 'push')]);
        index.put(tool('hestia', 'skill_a', 'deploy', { namespace: 'red', source: 'skill' }));
        expect([index.count('red'), index.count('blue')]).toEqual([3, 2]);
        expect(index.some({ namespace: 'red', source: 'skill' })).toBe(true);
        expect(index.some({ namespace: 'blue', source: 'skill' })).toBe(false);
        expect(index.some({ namespace: 'blue', serverId: 'git' })).toBe(true);
        expect(index.some({ namespace: 'blue', serverId: 'svn' })).toBe(false);
        index.replaceServer('git', []);
        expect([index.count('blue'), index.some({ namespace: 'blue' })]).toEqual([0, false]);
      });

      test('has the new definition of a tool whose schema changed but not its words', async () => {
        const before = tool('a', 'one', 'alpha', { properties: { path: { type: 'string' } } });
        const after = tool('a', 'one', 'alpha', { properties: { path: { type: 'number' } } });
        index.replaceServer('a', [before]);
        index.replaceServer('a', [after]);
        expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'default' })).toBe(after);
        expect(await found('alpha')).toMatchObject([{ tool: after }]);
      });

      test('may have a tool of a namespace and one of all with the same name, of which the namespace finds its own', async () => {
        const common = tool('a', 'one', 'alpha');
        const own = tool('a', 'one', 'beta', { namespace: 'red' });
        index.replaceServer('a', [common, own]);
        expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'red' })).toBe(own);
        expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'blue' })).toBe(common);
        index.remove({ serverId: 'a', toolName: 'one', namespace: 'red' });
        expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'red' })).toBe(common);
      });
    });
  });
}
