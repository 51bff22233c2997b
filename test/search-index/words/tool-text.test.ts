import { describe, expect, test } from 'vitest';
import { parametersMax, toolText } from '../../../src/search-index/words/tool-text.ts';
import type { JsonObject } from '../../../src/shapes/json.ts';

const text = (inputSchema: JsonObject, description = '') =>
  toolText({
    serverId: 'files',
    toolName: 'read',
    title: undefined,
    description,
    inputSchema,
    outputSchema: undefined,
    annotations: undefined,
  });

describe('the text of a tool', () => {
  test('has the first sentence as its summary', () => {
    expect(text({}, 'Reads v1.2 files. Not folders.').summary).toBe('Reads v1.2 files.');
    expect(text({}, 'Reads\nmore').summary).toBe('Reads');
    expect(text({}, '\n    Reads files. Not folders.').summary).toBe('Reads files.');
    expect(text({}, '').summary).toBe('');
  });

  test('omits sentences that say what the tool is not for', () => {
    const description = 'Lists keys. Do not use this to read a secret. Use get_key instead. Pages are short.';
    expect(text({}, description).description).toBe('Pages are short.');
  });

  test('has the rest of the description, and always keeps its first sentence', () => {
    expect(text({}, 'Does not write. It reads.\nSlowly.')).toMatchObject({
      summary: 'Does not write.',
      description: 'It reads. Slowly.',
    });
  });

  test('has the names and descriptions of parameters, including nested ones and those of list items', () => {
    const inputSchema = {
      properties: {
        path: { description: 'Where.' },
        options: { properties: { depth: { description: 'How deep.' } } },
        filters: { items: { properties: { pattern: {} } } },
      },
    };
    expect(text(inputSchema)).toMatchObject({
      parameterNames: 'path options depth filters pattern',
      parameterDescriptions: expect.stringMatching(/Where\..*How deep\./),
    });
  });

  test.each<[string, JsonObject]>([
    ['properties that are a list', { properties: ['a'] }],
    ['no properties', { type: 'object' }],
    ['null', { properties: null }],
  ])('has no parameters from a schema with %s', (_what, inputSchema) => {
    expect(text(inputSchema).parameterNames).toBe('');
  });

  test('has names of properties that are not schemas, and no descriptions that are not text', () => {
    expect(text({ properties: { a: true, b: null, c: { description: 7 } } })).toMatchObject({
      parameterNames: 'a b c',
      parameterDescriptions: expect.stringMatching(/^ *$/),
    });
  });

  test('has a limited number of parameters up to a limited depth', () => {
    const many = Object.fromEntries(Array.from({ length: parametersMax + 50 }, (_, index) => [`p${index}`, {}]));
    expect(text({ properties: many }).parameterNames.split(' ')).toHaveLength(parametersMax);
    let deep: JsonObject = {};
    for (let level = 1_000; level > 0; level -= 1) deep = { properties: { [`level${level}`]: deep } };
    expect(text(deep).parameterNames).toBe('level1 level2 level3 level4');
  });
});
