/** Attacks with schemas and arguments, made to hold the event loop, through the whole hub. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilServersConnected } from '../support/hub/hub-process.ts';
import { type AttackedHub, startAttackedHub } from './support/attacked-hub.ts';
import { createHostileUpstream } from './support/hostile-upstream.ts';

/** Of the processor time of the event loop's thread, which a busy machine does not change. The attacks held it for 14 to 48 s. */
const stallCpuMsMax = 1000;

const ref = { $ref: '#/$defs/n' };
const nested = (depth: number, leaf: unknown, wrap: (inner: unknown) => unknown) => {
  let value = leaf;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
};
const deep = (depth: number) => nested(depth, 1, (a) => ({ a }));
const objects = (count: number) => Array.from({ length: count }, (_, index) => ({ a: { b: [index] } }));
const part = { properties: { a: ref }, required: ['a'] };
const recursive = (keyword: string) => ({ properties: { x: ref }, $defs: { n: { [keyword]: [part, part] } } });
const alternatives = Array.from({ length: 3000 }, (_, at) => ({
  allOf: [{ anyOf: [{ const: `v${at}` }, { minimum: at }] }],
}));

/** By tool: its schema, and arguments that make the check expensive. */
const attacks: Record<string, { schema: object; value: unknown }> = {
  recursive_any_of: { schema: recursive('anyOf'), value: deep(40) },
  recursive_one_of: { schema: recursive('oneOf'), value: deep(40) },
  recursive_all_of: { schema: recursive('allOf'), value: deep(40) },
  unique_items: { schema: { properties: { x: { type: 'array', uniqueItems: true } } }, value: objects(20_000) },
  many_alternatives: { schema: { properties: { x: { anyOf: alternatives } } }, value: 'a' },
  large_enum: {
    schema: { properties: { x: { enum: Array.from({ length: 100_000 }, (_, at) => `value ${at}`) } } },
    value: 'a',
  },
  deep_schema: { schema: { properties: { x: nested(900, {}, (inner) => ({ not: inner })) } }, value: 'a' },
  many_values: { schema: { properties: { x: { items: { type: 'number' } } } }, value: Array(200_000).fill(1) },
  slow_pattern: { schema: { properties: { x: { pattern: '^(a+)+$' } } }, value: `${'a'.repeat(50_000)}!` },
  slow_format: { schema: { properties: { x: { format: 'email' } } }, value: `${'a.'.repeat(50_000)}@` },
};

const upstream = createHostileUpstream({
  tools: Object.entries(attacks).map(([name, { schema }]) => ({
    name,
    description: 'Reads a value.',
    inputSchema: { type: 'object', ...schema },
  })),
});
let hub: AttackedHub;
beforeAll(async () => {
  hub = await startAttackedHub({ file: { mcpServers: { hostile: upstream.configuration } } });
  await untilServersConnected(hub, 'hostile');
  await hub.probe();
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

describe('a schema and arguments made to hold the event loop', () => {
  test.each(Object.entries(attacks))('as %s, leave the hub responsive', async (toolName, { value }) => {
    const agent = await hub.agent(`agent-${toolName.replaceAll('_', '-')}`);
    const call = agent.call('hostile', toolName, { x: value });
    const meanwhile = await hub.operator.fetch('/v1/servers');
    expect(meanwhile.status).toBe(200);
    const { status } = await call;
    // It is answered by the server, or refused; it is never a failure of the hub.
    expect(status).toBeLessThan(500);
    expect((await hub.probe()).longestStallCpuMs).toBeLessThan(stallCpuMsMax);
  });

  test('in many calls at once delay nobody else', async () => {
    const agent = await hub.agent('many-at-once');
    const calls = Array.from({ length: 50 }, () => agent.call('hostile', 'recursive_any_of', { x: deep(40) }));
    expect((await hub.operator.fetch('/v1/servers')).status).toBe(200);
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
    expect((await hub.probe()).longestStallCpuMs).toBeLessThan(stallCpuMsMax);
  });
});
