/** The check of arguments against schemas of upstream tools: valid, unusual, broken and hostile ones. */
import { describe, expect, test } from 'vitest';
import { createSchemaCheck } from '../../../src/domain/call/schema.ts';
import type { SchemaVerdict } from '../../../src/domain/call/schema-violation.ts';
import type { JsonObject } from '../../../src/shapes/json.ts';

const check = createSchemaCheck();
const ofProperty = (schema: unknown, more: JsonObject = {}) => ({ type: 'object', properties: { x: schema }, ...more });
const summary = (verdict: SchemaVerdict) =>
  verdict.status === 'unchecked'
    ? `unchecked: ${verdict.reason}`
    : verdict.certain.length > 0
      ? 'certain'
      : verdict.uncertain.length > 0
        ? 'uncertain'
        : 'fits';
const checked = async (schema: JsonObject, value: JsonObject) => summary(await check(schema, value));

describe('a pattern of an upstream schema', () => {
  test.each([
    ['^[a-z]+$', 'abc', 'aBc'],
    ['b', 'abc', 'xyz'],
    ['^\\p{Lu}\\p{L}*$', 'Ärger', 'ärger'],
    ['^\\d{4}-\\d{2}$', '2026-11', '202611'],
    ['^$', '', 'x'],
    // As Python, Go and Rust write them.
    ['^[\\w\\-\\.\\@\\_]+$', 'a.b@c_d-e', 'a b'],
    ['^\\d{3}\\-\\d{4}$', '123-4567', '1234567'],
    ['(?i)^abc$', 'ABC', 'ABD'],
    ['\\A[a-z]+\\z', 'abc', 'ab1'],
    ['^[[:alpha:]]+$', 'abc', 'ab1'],
    ['^\\#\\~\\!$', '#~!', '#'],
  ])('%s matches %j and not %j', async (pattern, right, wrong) => {
    const schema = ofProperty({ type: 'string', pattern });
    expect(await checked(schema, { x: right })).toBe('fits');
    expect(await checked(schema, { x: wrong })).toBe('uncertain');
  });

  test('with exponential backtracking takes time of the order of a simple one', async () => {
    const hostile = 'a'.repeat(50_000);
    const timeOf = async (pattern: string) => {
      const schema = ofProperty({ type: 'string', pattern });
      await check(schema, { x: 'a' });
      const startedAt = performance.now();
      expect(await checked(schema, { x: `${hostile}!` })).toBe('uncertain');
      return performance.now() - startedAt;
    };
    // A backtracking engine takes exponential time and would not finish.
    expect(await timeOf('^(a+)+$')).toBeLessThan(Math.max(1000, 100 * (await timeOf('^a+$'))));
  });

  test('with a lookaround is not checked, since it cannot be in linear time, but left to the upstream', async () => {
    expect(await checked(ofProperty({ type: 'string', pattern: '^(?=.*\\d)x$' }), { x: 'anything' })).toBe('fits');
  });
});

describe('a schema that is not valid', () => {
  test.each<[string, JsonObject]>([
    ['a limit of draft-04', ofProperty({ type: 'number', minimum: 0, exclusiveMinimum: true })],
    ['nullable without a type', ofProperty({ nullable: true, description: 'x' })],
    ['nullable beside a reference', ofProperty({ nullable: true, $ref: '#/$defs/a' }, { $defs: { a: {} } })],
    ['required as a boolean', ofProperty({ type: 'string', required: true })],
    ['a name that is required twice', ofProperty({}, { required: ['x', 'x'] })],
    ['an unknown type', ofProperty({ type: 'any' })],
    ['another unknown type', ofProperty({ type: 'file' })],
    ['a description that is null', ofProperty({ type: 'string', description: null })],
    ['a length that is text', ofProperty({ type: 'string', minLength: '1' })],
    ['a reference to nothing', ofProperty({ $ref: '#/components/schemas/A' })],
    ['a reference to another place', ofProperty({ $ref: 'https://attacker.example/schema.json' })],
    ['no alternatives', ofProperty({ anyOf: [] })],
    ['properties that are null', { type: 'object', properties: null }],
    ['additional properties that are null', { type: 'object', additionalProperties: null }],
    ['a pattern of no dialect', ofProperty({ type: 'string', pattern: '(' })],
    ['a format that is a number', ofProperty({ type: 'string', format: 3 })],
    ['an asynchronous check', { $async: true, ...ofProperty({ type: 'number' }, { required: ['x'] }) }],
  ])('because of %s is not checked', async (_what, schema) => {
    expect(await checked(schema, { y: 1 })).toBe('unchecked: schema');
    expect(await checked(schema, {})).toBe('unchecked: schema');
  });

  test('but only has keywords of another draft is checked without them', async () => {
    const schema = ofProperty({ type: 'string' }, { $recursiveAnchor: true });
    expect(await checked(schema, { x: {} })).toBe('certain');
  });

  test('in one dialect is checked in the other, where it names none', async () => {
    const schema = ofProperty({ type: 'array', items: [{ type: 'string' }, { type: 'number' }] });
    expect(await checked(schema, { x: ['a', 1] })).toBe('fits');
    expect(await checked(schema, { x: ['a', {}] })).toBe('certain');
  });
});

describe('a value that some server converts', () => {
  test.each<[unknown, JsonObject]>([
    ['5', { type: 'number' }],
    [' 5.5 ', { type: 'number' }],
    ['5', { type: 'integer' }],
    [5.5, { type: 'integer' }],
    [true, { type: 'integer' }],
    ['true', { type: 'boolean' }],
    ['No', { type: 'boolean' }],
    [1, { type: 'boolean' }],
    [5, { type: 'string' }],
    [false, { type: 'string' }],
    ['{"a":1}', { type: 'object' }],
    ['[1,2]', { type: 'array' }],
    ['a,b', { type: 'array' }],
    [{ a: 1 }, { type: 'array' }],
    [null, { type: 'string' }],
    [null, { type: 'object' }],
    ['', { type: 'number' }],
    ['2026-11-27T20:00:00', { type: 'string', format: 'date-time' }],
    [90, { type: 'string', format: 'duration' }],
    ['example.com/path', { type: 'string', format: 'uri' }],
    ['other', { enum: ['a', 'b'] }],
    ['other', { const: 'a' }],
    [11, { type: 'number', maximum: 10 }],
    ['abc', { type: 'string', maxLength: 2 }],
    [{}, { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    [{}, { oneOf: [{ $ref: '#/$defs/a' }, { type: 'number' }] }],
  ])('%j for %j is only warned of', async (value, schema) => {
    const whole = ofProperty(schema, { $defs: { a: { type: 'object', properties: { b: {} }, required: ['b'] } } });
    expect(await checked(whole, { x: value })).toBe('uncertain');
  });
});

describe('a value that no server converts', () => {
  test.each<[unknown, JsonObject, string, string]>([
    ['five', { type: 'number' }, 'arguments.x', 'must be number, found string'],
    [[], { type: 'integer' }, 'arguments.x', 'must be integer, found array'],
    ['maybe', { type: 'boolean' }, 'arguments.x', 'must be boolean, found string'],
    [{}, { type: 'string' }, 'arguments.x', 'must be string, found object'],
    [['a'], { type: 'string' }, 'arguments.x', 'must be string, found array'],
    ['text', { type: 'object' }, 'arguments.x', 'must be object, found string'],
    [7, { type: 'object' }, 'arguments.x', 'must be object, found number'],
    [{}, { type: ['string', 'null'] }, 'arguments.x', 'must be string,null, found object'],
    [
      [{ a: 'b' }],
      { items: { properties: { a: { type: 'number' } } } },
      'arguments.x.0.a',
      'must be number, found string',
    ],
  ])('%j for %j is refused', async (value, schema, field, message) => {
    expect(await check(ofProperty(schema), { x: value })).toMatchObject({ certain: [{ field, message }] });
  });
});

describe('a required argument', () => {
  const required = (more: JsonObject = {}) => ({ ...ofProperty({ type: 'string' }, { required: ['x'] }), ...more });

  test('that is missing is named, with the arguments that were found', async () => {
    expect(await check(required(), { pth: 1, other: 2 })).toMatchObject({
      certain: [{ field: 'arguments.x', message: 'is required, found only "pth", "other"' }],
    });
    expect(await check(required(), {})).toMatchObject({
      certain: [{ field: 'arguments.x', message: 'is required, found no arguments' }],
    });
  });

  test('that is missing is named also beside alternatives that do not fit', async () => {
    expect(await checked(required({ anyOf: [{ required: ['a'] }, { required: ['b'] }] }), {})).toBe('certain');
  });

  test.each<[string, JsonObject]>([
    ['has a default', ofProperty({ type: 'string', default: 'a' }, { required: ['x'] })],
    ['is not declared', { type: 'object', required: ['x'] }],
    ['is of an alternative', { type: 'object', anyOf: [ofProperty({}, { required: ['x'] }), { required: ['y'] }] }],
    ['depends on another', { ...ofProperty({}), dependentSchemas: { y: ofProperty({}, { required: ['x'] }) } }],
  ])('that is missing is left to the server if it %s', async (_what, schema) => {
    expect(await checked(schema, { y: undefined, z: 1, ...('dependentSchemas' in schema && { y: 1 }) })).toMatch(
      /^(uncertain|fits)$/,
    );
  });

  test.each(['constructor', 'toString', '__proto__x', 'hasOwnProperty'])('may be called %s', async (name) => {
    const schema = { type: 'object', properties: { season: { type: 'integer' }, [name]: { type: 'string' } } };
    expect(await checked({ ...schema, required: ['season'] }, { season: 2026 })).toBe('fits');
    expect(await checked({ ...schema, required: [name] }, { season: 2026 })).toBe('certain');
  });
});

test('an argument whose name has slashes and tildes is named as it is', async () => {
  const schema = { type: 'object', properties: { 'a/b~c': { type: 'number' } } };
  expect(await check(schema, { 'a/b~c': {} })).toMatchObject({ certain: [{ field: 'arguments.a/b~c' }] });
});

test('a list of a thousand violations is cut', async () => {
  const schema = ofProperty({ type: 'array', items: { type: 'number' } });
  const verdict = await check(schema, { x: Array.from({ length: 1000 }, () => ({})) });
  expect(verdict).toMatchObject({ status: 'checked' });
  expect('certain' in verdict && verdict.certain.length).toBe(20);
});
