/**
 * Schemas and arguments made to hold the event loop. Each kind is checked within a bounded time, in which the loop goes on;
 * what takes too long is not checked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { createSchemaCheck } from '../../../src/domain/call/schema.ts';
import type { SchemaVerdict } from '../../../src/domain/call/schema-violation.ts';
import type { JsonObject } from '../../../src/shapes/json.ts';

/** Generous, since tests share their processors; the attacks held the loop for 14 to 39 s. */
const delayMsMax = 1000;
const totalMsMax = 8000;

/** Checks, and proves that the loop was never held for long. */
async function attack(schema: JsonObject, value: JsonObject, check = createSchemaCheck()): Promise<SchemaVerdict> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const startedAt = performance.now();
  const verdict = await check(schema, value);
  const totalMs = performance.now() - startedAt;
  await new Promise(setImmediate);
  delay.disable();
  expect(delay.max / 1e6).toBeLessThan(delayMsMax);
  expect(totalMs).toBeLessThan(totalMsMax);
  return verdict;
}

const nested = (depth: number, leaf: unknown, wrap: (inner: unknown) => unknown) => {
  let value = leaf;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
};
const deepArguments = (depth: number) => ({ x: nested(depth, 1, (a) => ({ a })) });
const ofProperty = (schema: unknown, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties: { x: schema },
  ...more,
});
const ref = { $ref: '#/$defs/n' };
const recursive = (keyword: string): JsonObject =>
  ofProperty(ref, {
    $defs: { n: { [keyword]: [1, 2].map(() => ({ properties: { a: ref }, required: ['a'] })) } },
  });
const objects = (count: number) => Array.from({ length: count }, (_, index) => ({ a: { b: [index] } }));

describe('a check that would take exponential time', () => {
  test.each(['anyOf', 'oneOf', 'allOf'])('of a recursive %s is given up', async (keyword) => {
    const verdict = await attack(recursive(keyword), deepArguments(40));
    expect(verdict).toEqual({ status: 'unchecked', reason: 'time' });
  });

  test('of definitions that double at each reference is given up or bounded', async () => {
    const $defs: JsonObject = { d0: { type: 'string' } };
    for (let level = 1; level <= 30; level += 1) {
      const inner = { $ref: `#/$defs/d${level - 1}` };
      $defs[`d${level}`] = { anyOf: [inner, { not: inner }, inner] };
    }
    await attack(ofProperty({ $ref: '#/$defs/d30' }, { $defs }), { x: 5 });
  });

  test('of a reference to the schema itself, by whatever name, is given up', async () => {
    for (const self of [{ $ref: '#' }, { $dynamicRef: '#n' }, { $recursiveRef: '#' }]) {
      const part = { properties: { a: self }, required: ['a'] };
      await attack({ $dynamicAnchor: 'n', anyOf: [part, part] }, { a: nested(40, 1, (a) => ({ a })) });
    }
  });
});

describe('a check that would take quadratic time', () => {
  test.each([
    ['uniqueItems', { type: 'array', uniqueItems: true }],
    ['uniqueItems by a reference', { allOf: [{ $ref: '#/$defs/u' }, { $ref: '#/$defs/u' }] }],
    ['uniqueItems in an alternative', { anyOf: [{ type: 'string' }, { uniqueItems: true }] }],
  ])('of %s over 20,000 objects is given up', async (_what, schema) => {
    const verdict = await attack(ofProperty(schema, { $defs: { u: { uniqueItems: true } } }), { x: objects(20_000) });
    expect(verdict).toEqual({ status: 'unchecked', reason: 'time' });
  });

  test('of uniqueItems over a few items is done', async () => {
    const schema = ofProperty({ type: 'array', uniqueItems: true });
    expect(await attack(schema, { x: objects(20) })).toMatchObject({ status: 'checked', uncertain: [] });
    expect(await attack(schema, { x: [...objects(20), ...objects(1)] })).toMatchObject({
      uncertain: [{ field: 'arguments.x' }],
    });
  });

  test('of a hundred thousand items that do not fit is bounded', async () => {
    const items = { anyOf: [{ type: 'number' }, { type: 'boolean' }], not: { type: 'string' } };
    await attack(ofProperty({ items }), { x: Array.from({ length: 50_000 }, () => 'no') });
  });
});

describe('a schema that takes long to compile', () => {
  test.each<[string, JsonObject]>([
    [
      '352 kB of alternatives',
      ofProperty({
        anyOf: Array.from({ length: 3000 }, (_, at) => ({
          allOf: [{ anyOf: [{ const: `v${at}` }, { minimum: at }] }],
        })),
      }),
    ],
    [
      'alternatives in alternatives',
      ofProperty(nested(12, { type: 'string' }, (inner) => ({ anyOf: [inner, structuredClone(inner)] }))),
    ],
    [
      'allOf and anyOf in turns',
      ofProperty(nested(45, { type: 'string' }, (inner) => ({ allOf: [{ anyOf: [inner] }] }))),
    ],
    [
      '5,000 properties',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`p${at}`, { type: 'string' }])),
      },
    ],
    [
      'one definition in 3,000 places',
      ofProperty(
        { allOf: Array.from({ length: 3000 }, () => ({ $ref: '#/$defs/d' })) },
        { $defs: { d: ofProperty({ enum: ['a', 'b', 'c'] }) } },
      ),
    ],
  ])('such as %s does not hold the loop', async (_what, schema) => {
    const check = createSchemaCheck();
    await attack(schema, { x: 'a' }, check);
    await attack(schema, { x: 'a' }, check);
  });

  test.each<[string, JsonObject]>([
    ['1.4 MB', ofProperty({ enum: Array.from({ length: 100_000 }, (_, at) => `value ${at}`) })],
    ['1,000 levels', ofProperty(nested(1000, {}, (inner) => ({ not: inner })))],
    ['20,000 levels', ofProperty(nested(20_000, {}, (inner) => ({ items: inner })))],
  ])('because of %s is not compiled at all', async (_what, schema) => {
    expect(await attack(schema, { x: 'a' })).toEqual({ status: 'unchecked', reason: 'size' });
  });
});

describe('arguments', () => {
  test('of 200,000 values are not checked', async () => {
    const schema = ofProperty({ items: { type: 'number' } });
    const value = { x: Array.from({ length: 200_000 }, () => 1) };
    expect(await attack(schema, value)).toEqual({ status: 'unchecked', reason: 'size' });
  });

  test.each([201, 20_000])('nested %d levels deep are refused', async (depth) => {
    expect(await attack(ofProperty({}), deepArguments(depth))).toMatchObject({ certain: [{ field: 'arguments' }] });
  });
});

describe('a check in the thread', () => {
  test('finds what a check on the loop finds', async () => {
    const filler = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`p${at}`, {}]));
    const small = ofProperty({ type: 'number' }, { required: ['x'] });
    const large = { ...small, properties: { ...filler, x: { type: 'number' } } };
    const check = createSchemaCheck();
    for (const value of [{ x: 5 }, { x: '5' }, { x: {} }, {}]) {
      expect(await attack(large, value, check)).toEqual(await check(small, value));
    }
    const broken = { ...large, properties: { ...large.properties, y: { type: 'any' } } };
    expect(await check(broken, {})).toEqual({ status: 'unchecked', reason: 'schema' });
  });

  test('that was given up leaves the next one undisturbed, and many at once end in bounded time', async () => {
    const check = createSchemaCheck();
    const honest = ofProperty(ref, { $defs: { n: { properties: { a: ref } } } });
    const hostile = Array.from({ length: 100 }, () => attack(recursive('anyOf'), deepArguments(40), check));
    expect((await Promise.all(hostile)).every(({ status }) => status === 'unchecked')).toBe(true);
    await expect.poll(() => check(honest, deepArguments(3)), { timeout: 10_000 }).toMatchObject({ status: 'checked' });
  });
});
