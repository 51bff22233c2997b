/** The form of a tool's arguments: made of its schema, within the weight of a page. */
import { expect, test } from 'vitest';
import { argumentFields, argumentsOfForm } from '../../src/console/pages/argument-form.ts';

const properties = Object.fromEntries(
  Array.from({ length: 500 }, (_, index) => [
    `name-${index}`,
    { type: 'string', description: 'A "long" text. '.repeat(99) },
  ]),
);
const schema = { type: 'object', properties: { ...properties, needed: { type: 'integer' } }, required: ['needed'] };

test('a tool with many arguments has fields for the required ones first, and one for all that would be too many', () => {
  const fields = String(argumentFields(schema, {}));
  expect(Buffer.byteLength(fields)).toBeLessThan(45_000);
  expect(fields.indexOf('needed (required)')).toBeLessThan(fields.indexOf('name-0'));
  expect(fields).toMatch(/\d+ further arguments, as a JSON object/);
  expect(fields).not.toContain('for="argument.name-499"');
});

test('further arguments are a JSON object, and a field of its own wins', () => {
  const form = { 'argument.needed': '7', 'argument.': '{"name-499": "last", "needed": 1}', formToken: 'x' };
  expect(argumentsOfForm(schema, form)).toEqual({ 'name-499': 'last', needed: 7 });
  expect(() => argumentsOfForm(schema, { 'argument.': '[1]' })).toThrow(
    'arguments: the further ones must be a JSON object',
  );
});

test('an enumeration of many values is entered as text', () => {
  const values = Array.from({ length: 5000 }, (_, index) => `value-${index}`);
  const large = { properties: { one: { enum: values } } };
  expect(Buffer.byteLength(String(argumentFields(large, {})))).toBeLessThan(1000);
  expect(argumentsOfForm(large, { 'argument.one': 'value-7' })).toEqual({ one: 'value-7' });
});
