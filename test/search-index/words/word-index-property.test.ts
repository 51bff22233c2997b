/** The word index after arbitrary changes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWordIndex } from '../../../src/search-index/words/word-index.ts';
import { indexedTool } from '../../support/tool-index-contract.ts';

const word = fc.constantFrom(
  'list',
  'keys',
  'key',
  'vault',
  'GitHub',
  'deploy',
  'weather',
  'forecast',
  '天气预报',
  'read',
);
const text = fc.array(word, { maxLength: 6 }).map((parts) => parts.join(' '));
const tool = fc
  .tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 5 }), text, fc.constantFrom(undefined, 'red', 'blue'))
  .map(([server, at, description, namespace]) => indexedTool(server, `tool_${at}`, description, { namespace }));
const change = fc.record({ tool, isRemoved: fc.boolean() });

describe('the word index', () => {
  test('returns the same as a new index of the remaining tools, after any changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), text, async (changes, query) => {
        const index = createWordIndex();
        for (const { tool: changed, isRemoved } of changes) {
          const { serverId, toolName } = changed.definition;
          if (isRemoved) index.remove({ serverId, toolName, namespace: changed.namespace });
          else index.put(changed);
        }
        const fresh = createWordIndex();
        for (const left of index.list({}).toReversed()) fresh.put(left);
        const request = { query, limit: 50, namespace: 'red' };
        expect(await index.search(request)).toEqual(await fresh.search(request));
      }),
      { numRuns: 200 },
    );
  });
});
