import { describe, expect, test } from 'vitest';
import { isWeakMatch, relatedMatches } from '../../../src/domain/search/match-strength.ts';
import type { FoundTool } from '../../../src/search-index/tool-index.ts';

describe('a match', () => {
  test('is weak if neither its words nor its meaning are strong', () => {
    expect(isWeakMatch({ lexical: 2, dense: 0.3 }, 200)).toBe(true);
    expect(isWeakMatch({ lexical: 2, dense: 0.5 }, 200)).toBe(false);
    expect(isWeakMatch({ lexical: 5, dense: undefined }, 200)).toBe(false);
    expect(isWeakMatch({ lexical: undefined, dense: 0.3 }, 200)).toBe(true);
  });

  test('by words needs more in a large hub, where words are rarer', () => {
    expect(isWeakMatch({ lexical: 3, dense: undefined }, 32)).toBe(false);
    expect(isWeakMatch({ lexical: 3, dense: undefined }, 5_582)).toBe(true);
  });

  test('by meaning alone is left out below a threshold, which is lower where every match is weak; one by words never is', () => {
    const definition = { serverId: 'server', toolName: 'tool', description: '', inputSchema: {} };
    const tool = { source: 'upstream', definition, namespace: undefined } as const;
    const found = [0.07, 0.09, 0.19, 0.21].map((dense) => ({ tool, score: 1, parts: { lexical: undefined, dense } }));
    const byWords = { tool, score: 1, parts: { lexical: 0.1, dense: 0.01 } };
    const strong = { tool, score: 1, parts: { lexical: undefined, dense: 0.5 } };
    const kept = (...matches: FoundTool[]) => relatedMatches(matches, 200).map(({ parts }) => parts.dense);
    expect(kept(...found, byWords)).toEqual([0.09, 0.19, 0.21, 0.01]);
    expect(kept(...found, byWords, strong)).toEqual([0.21, 0.01, 0.5]);
  });
});
