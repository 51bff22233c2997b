import { expect, test } from 'vitest';
import { searchText } from '../../../src/search-index/words/bm25f.ts';
import { createInvertedIndex } from '../../../src/search-index/words/inverted-index.ts';
import { analyseText } from '../../../src/search-index/words/text-analysis.ts';
import { toolText } from '../../../src/search-index/words/tool-text.ts';
import { indexedTool } from '../../support/tool-index-contract.ts';

test('a number is used again only once no list has an entry of it, also after a change during a sweep', () => {
  const index = createInvertedIndex();
  const add = (toolName: string, description: string) => {
    const tool = indexedTool('s', toolName, description);
    return index.add(tool, analyseText(toolText(tool.definition)));
  };
  const found = (query: string) =>
    searchText(index.content, { query, limit: 10, namespace: 'default' }).found.map(
      ({ tool }) => tool.definition.toolName,
    );
  add('kept', 'alpha beta');
  const [first, second] = [add('first', 'alpha one'), add('second', 'alpha two')];
  index.removeAll([first]);
  const steps = index.sweep();
  while (!index.content.stems.isSwept()) steps.next();
  steps.next();
  index.removeAll([second]);
  while (steps.next().done !== true);
  expect(add('third', 'gamma').number).toBe(3);
  expect([found('alpha'), found('gamma')]).toEqual([['kept'], ['third']]);
  const rest = index.sweep();
  while (rest.next().done !== true);
  expect([add('fourth', 'delta').number, add('fifth', 'delta').number].toSorted()).toEqual([1, 2]);
  expect([found('alpha'), found('delta')]).toEqual([['kept'], ['fifth', 'fourth']]);
});
