/** Servers that describe themselves and their tools loosely: null for what is absent, members of another type. */
import { describe, expect, test } from 'vitest';
import { supportServer } from '../support/servers/support-server.ts';
import { callTool, connectTo } from '../support/servers/upstream-connection.ts';

const loose = (answers: object) => supportServer('loose-server.ts', JSON.stringify(answers));
const tool = (name: unknown, more = {}) => ({ name, description: `Does ${name}.`, inputSchema: {}, ...more });

/** An object in an object, and so on. Comparing, checking or writing a deeper one overflows the stack. */
function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}

const introductions: [string, Record<string, unknown>][] = [
  [
    'null for all that is absent',
    {
      instructions: null,
      _meta: null,
      capabilities: { experimental: null, logging: null, prompts: null, tools: { listChanged: null } },
      serverInfo: { name: 'x', version: '1', title: null, icons: null, websiteUrl: null },
    },
  ],
  ['capabilities that are true', { capabilities: { tools: true, logging: true } }],
  ['capabilities that are lists', { capabilities: { tools: [] } }],
  ['options of another type', { capabilities: { tools: { listChanged: 'yes' }, resources: { subscribe: 1 } } }],
  ['no capabilities', { capabilities: null }],
  ['no name', { serverInfo: null }],
  ['a name that is text', { serverInfo: 'x' }],
  ['no version', { serverInfo: { name: 'x' } }],
  ['a version that is a number', { serverInfo: { name: 'x', version: 2 } }],
  ['instructions that are a list', { instructions: ['x'] }],
  ['a capability nested 3,000 levels', { capabilities: { tools: {}, experimental: nested(3000) } }],
  ['a name nested 3,000 levels', { serverInfo: { name: 'x', version: '1', more: nested(3000) } }],
];

describe('a server whose introduction has', () => {
  test.each(introductions)('%s / is connected, and its tools are called', async (_what, introduction) => {
    const { connection } = await connectTo(loose({ introduction }));
    expect(connection.tools().map(({ toolName }) => toolName)).toEqual(['plain']);
    expect((await callTool(connection, 'plain')).isError).toBe(false);
  });
});

const lists: [string, object[], string[]][] = [
  ['null instead of no tools', [{ tools: null }], []],
  ['no list at all', [{}], []],
  ['a cursor that is null', [{ tools: [tool('a')], nextCursor: null }], ['a']],
  ['a cursor that is empty', [{ tools: [tool('a')], nextCursor: '' }], ['a']],
  ['a cursor that is an object', [{ tools: [tool('a')], nextCursor: {} }], ['a']],
  ['cursors that are numbers', [{ tools: [tool('a')], nextCursor: 1 }, { tools: [tool('b')] }], ['a', 'b']],
  [
    'cursors that repeat an earlier one',
    [
      { tools: [tool('a')], nextCursor: '1' },
      { tools: [tool('b')], nextCursor: '2' },
      { tools: [tool('c')], nextCursor: '1' },
    ],
    ['a', 'b', 'c'],
  ],
  ['an empty page at the end', [{ tools: [tool('a')], nextCursor: '1' }, { tools: null }], ['a']],
];

describe('a list of tools with', () => {
  test.each(lists)('%s / is read', async (_what, pages, names) => {
    const { connection } = await connectTo(loose({ pages }));
    expect(connection.tools().map(({ toolName }) => toolName)).toEqual(names);
  });
});

describe('a list with a tool that is nested 3,000 levels', () => {
  test.each(['inputSchema', 'outputSchema', 'annotations', '_meta'])(
    'in %s / has the others offered',
    async (member) => {
      const tools = [tool('deep', { [member]: nested(3000) }), tool('plain')];
      const { connection } = await connectTo(loose({ pages: [{ tools }] }));
      expect(connection.tools().map(({ toolName }) => toolName)).toEqual(['plain']);
      expect(connection.status().toolsRefusedCount).toBe(1);
    },
  );
});

describe('a tool whose', () => {
  const anything = { type: 'object' };

  test('members are null or of another type / is kept without them', async () => {
    const absent = { title: null, description: null, outputSchema: null, annotations: null, icons: null, _meta: null };
    const wrong = { title: 5, description: ['x'], outputSchema: true, annotations: 'x', icons: {}, _meta: 'x' };
    const tools = [tool('absent', absent), tool('wrong', wrong)];
    const { connection } = await connectTo(loose({ pages: [{ tools }] }));
    expect(connection.status().toolsRefusedCount).toBe(0);
    for (const found of connection.tools()) {
      const { title, description, outputSchema, annotations } = found;
      expect([title, description, outputSchema, annotations]).toEqual([undefined, '', undefined, undefined]);
      expect(found).not.toHaveProperty('meta');
      expect(found).not.toHaveProperty('icons');
    }
  });

  test.each([[null], [true], [[]], ['x'], [undefined]])('input schema is %j / takes any arguments', async (schema) => {
    const { connection } = await connectTo(loose({ pages: [{ tools: [tool('a', { inputSchema: schema })] }] }));
    expect(connection.tools()[0]?.inputSchema).toEqual(anything);
    expect((await callTool(connection, 'a')).isError).toBe(false);
  });
});
