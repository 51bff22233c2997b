import { beforeEach, describe, expect, test } from 'vitest';
import type { IndexedTool, ToolSource } from '../../src/shapes/tool.ts';
import { createToolIndex, type ToolIndex } from '../../src/stores/tool-index.ts';

let index: ToolIndex;
beforeEach(() => {
  index = createToolIndex();
});

const tool = (
  serverId: string,
  toolName: string,
  description = '',
  options: { namespace?: string; source?: ToolSource; properties?: object } = {},
): IndexedTool => ({
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
});

const names = (query: string, options: { namespace?: string; source?: ToolSource; limit?: number } = {}) =>
  index
    .search({ query, limit: 10, namespace: 'default', ...options })
    .map(({ tool: { definition } }) => `${definition.serverId}/${definition.toolName}`);

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
  ])('finds by %s', (_how, query, expected) => {
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
    expect(names(query)[0]).toBe(expected);
  });

  test('shows a namespace its own tools and those of all, and nothing else', () => {
    index.put(tool('hestia', 'skill_a', 'deploy', { namespace: 'red', source: 'skill' }));
    index.put(tool('hestia', 'skill_b', 'deploy', { namespace: 'blue', source: 'skill' }));
    index.put(tool('ci', 'deploy', 'deploy'));
    expect(names('deploy', { namespace: 'red' }).toSorted()).toEqual(['ci/deploy', 'hestia/skill_a']);
    expect(names('deploy', { namespace: 'red', limit: 1 })).toHaveLength(1);
    expect(index.find({ serverId: 'hestia', toolName: 'skill_b', namespace: 'red' })).toBeUndefined();
  });

  test('filters by source before it counts', () => {
    index.replaceServer(
      'many',
      Array.from({ length: 50 }, (_, at) => tool('many', `deploy_${at}`, 'deploy')),
    );
    index.put(tool('hestia', 'skill_deploy', 'something about a deploy', { namespace: 'default', source: 'skill' }));
    expect(names('deploy', { source: 'skill', limit: 1 })).toEqual(['hestia/skill_deploy']);
  });

  test('answers the same in the same order, whatever the order of arrival', () => {
    const tools = ['c', 'a', 'b'].map((name) => tool('s', name, 'identical words'));
    index.replaceServer('s', tools);
    const first = names('identical words');
    index.replaceServer('s', tools.toReversed());
    expect(names('identical words')).toEqual(first);
    expect(first).toEqual(['s/a', 's/b', 's/c']);
  });

  test.each(['', '   ', '!?', '\u0000', 'x'.repeat(2000), '🙂'])('takes %j without harm', (query) => {
    index.put(tool('s', 'echo', 'echoes'));
    expect(() => names(query)).not.toThrow();
  });
});

describe('a server', () => {
  test('has just the tools it listed last; others keep theirs', () => {
    index.replaceServer('a', [tool('a', 'one', 'alpha'), tool('a', 'two', 'alpha')]);
    index.replaceServer('b', [tool('b', 'one', 'alpha')]);
    index.replaceServer('a', [tool('a', 'two', 'beta'), tool('a', 'three', 'alpha')]);
    expect(names('alpha').toSorted()).toEqual(['a/three', 'b/one']);
    expect(index.list({ serverId: 'a' }).map(({ definition }) => definition.toolName)).toEqual(['three', 'two']);
    index.replaceServer('a', []);
    expect(index.list({})).toHaveLength(1);
  });

  test('may have a tool put again, and removed', () => {
    index.put(tool('a', 'one', 'alpha'));
    index.put(tool('a', 'one', 'beta'));
    expect(names('alpha')).toEqual([]);
    expect(names('beta')).toEqual(['a/one']);
    expect(index.remove({ serverId: 'a', toolName: 'one', namespace: undefined })).toBe(true);
    expect(index.remove({ serverId: 'a', toolName: 'one', namespace: undefined })).toBe(false);
    expect(names('beta')).toEqual([]);
  });

  test('that lists a tool again with another schema and the same words is found with the new one', () => {
    const before = tool('a', 'one', 'alpha', { properties: { path: { type: 'string' } } });
    const after = tool('a', 'one', 'alpha', { properties: { path: { type: 'number' } } });
    index.replaceServer('a', [before]);
    index.replaceServer('a', [after]);
    expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'default' })).toBe(after);
    expect(index.search({ query: 'alpha', limit: 10, namespace: 'default' })).toMatchObject([{ tool: after }]);
  });

  test('may have a tool of a namespace beside one of all: the namespace finds its own, others the common one', () => {
    const common = tool('a', 'one', 'alpha');
    const own = tool('a', 'one', 'beta', { namespace: 'red' });
    index.replaceServer('a', [common, own]);
    expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'red' })).toBe(own);
    expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'blue' })).toBe(common);
    index.remove({ serverId: 'a', toolName: 'one', namespace: 'red' });
    expect(index.find({ serverId: 'a', toolName: 'one', namespace: 'red' })).toBe(common);
  });
});
