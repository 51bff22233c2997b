import { describe, expect, test } from 'vitest';
import { hybridConstants, hybridScores } from '../../src/search-index/hybrid-score.ts';
import { createWordIndex } from '../../src/search-index/words/word-index.ts';
import { indexedTool } from '../support/tool-index-contract.ts';

const { meaningNone, wordsFull, exponent } = hybridConstants;

function scores(words: Record<string, number>, cosines: Record<string, number>, strength = wordsFull / 2) {
  const parts = { words: new Map(Object.entries(words)), cosines: new Map(Object.entries(cosines)), strength };
  return Object.fromEntries(hybridScores(parts));
}

const order = (found: Record<string, number>) =>
  Object.keys(found).toSorted((one, other) => (found[other] ?? 0) - (found[one] ?? 0));

describe('the joint score', () => {
  test('lifts what words and meaning both find second above what one of them finds first', () => {
    expect(order(scores({ a: 1, b: 0.9 }, { c: 0.8, b: 0.79, d: 0.2 }))).toEqual(['b', 'c', 'a']);
  });

  test('is 1 for the best, and leaves out what is unrelated', () => {
    const found = scores({ a: 1, b: 0.2 }, { a: 0.7, c: 0, d: -0.3 });
    expect(found.a).toBe(1);
    expect(Object.keys(found)).toEqual(['a', 'b']);
    expect(Object.values(found).every((score) => score > 0 && score <= 1)).toBe(true);
  });

  test('follows the words where they are strong, and meaning where no word matches', () => {
    const cosines = { b: 0.9, a: 0.1 };
    expect(order(scores({ a: 1, b: 0.8 }, cosines, meaningNone))).toEqual(['a', 'b']);
    expect(order(scores({ a: 1, b: 0.8 }, cosines, 0.1))).toEqual(['b', 'a']);
    expect(order(scores({}, cosines, 0))).toEqual(['b']);
  });

  test('does not take a small difference of cosines for a large one', () => {
    const { a = 0, b = 0 } = scores({}, { a: 0.41, b: 0.42 }, 0);
    expect(b).toBe(1);
    expect(a).toBeGreaterThan(0.9 ** exponent);
  });

  test('is that of the words where nothing is near', () => {
    expect(scores({ a: 1, b: 0.5 }, {})).toEqual({ a: 1, b: 0.5 ** exponent });
    expect(scores({}, {})).toEqual({});
  });
});

describe('the scale of the word score that the constants were fitted on', () => {
  test('has not changed: if this fails, run npm run eval:search with --fit and update the constants', async () => {
    const index = createWordIndex();
    index.replaceServer('files', [
      indexedTool('files', 'read_text_file', 'Read the complete contents of a file from the file system as text.'),
      indexedTool('files', 'move_file', 'Move or rename files and directories.'),
      indexedTool('files', 'list_directory', 'Get a detailed listing of all files and directories in a path.'),
      indexedTool('git', 'commit', 'Record changes to the repository with a message.'),
    ]);
    const strengthOf = async (query: string) =>
      (await index.search({ query, limit: 1, namespace: 'default' })).found[0]?.parts.lexical ?? 0;
    const strengths = await Promise.all(
      ['read a file', 'rename my notes', 'list all directories', 'commit my changes', 'weather'].map(strengthOf),
    );
    expect(strengths.map((strength) => Number(strength.toFixed(2)))).toEqual([2.1, 0.97, 2.81, 2.8, 0]);
  });
});
