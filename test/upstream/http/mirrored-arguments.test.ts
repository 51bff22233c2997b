/** Annotations of tools that want arguments mirrored in HTTP headers. */
import { describe, expect, test } from 'vitest';
import { areAnnotationsValid } from '../../../src/upstream/http/mirrored-arguments.ts';

const header = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name });
const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest });

describe('the annotations of a schema', () => {
  test.each([
    ['none', object({ region: { type: 'string' } })],
    ['of text, integer and boolean', object({ a: header('A'), b: header('B', 'integer'), c: header('C', 'boolean') })],
    ['in a nested object', object({ place: object({ region: header('Region') }) })],
    ['in a default value', object({ region: { type: 'object', default: header('a b') } })],
    ['as the name of a property', object({ 'x-mcp-header': { type: 'number' } })],
  ])('are valid: %s', (_what, schema) => {
    expect(areAnnotationsValid(schema)).toBe(true);
  });

  test.each([
    ['an empty name', object({ a: header('') })],
    ['a name that is no text', object({ a: header(7) })],
    ['a name with a blank', object({ a: header('a b') })],
    ['a name with a line break', object({ a: header('a\r\nhost: x') })],
    ['a name beyond ASCII', object({ a: header('Région') })],
    ['one name twice', object({ a: header('Region'), b: object({ c: header('REGION') }) })],
    ['a number', object({ a: header('A', 'number') })],
    ['an object', object({ a: header('A', 'object') })],
    ['several types', object({ a: header('A', ['string', 'null']) })],
    ['no type', object({ a: { 'x-mcp-header': 'A' } })],
    ['the schema itself', { ...object({}), ...header('A') }],
    ['an item of a list', object({ list: { type: 'array', items: header('A') } })],
    ['an alternative', object({ a: { anyOf: [header('A')] } })],
    ['a definition', object({}, { $defs: { a: header('A') } })],
  ])('are invalid: %s', (_what, schema) => {
    expect(areAnnotationsValid(schema)).toBe(false);
  });

  test('are found at any depth', () => {
    let schema = object({ a: header('a b') });
    for (let level = 0; level < 100_000; level += 1) schema = object({ a: schema });
    expect(areAnnotationsValid(schema)).toBe(false);
  });
});
