import { describe, expect, test } from 'vitest';
import { isUnrelated, isWeakMatch } from '../../../src/domain/search/match-strength.ts';

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

  test('by meaning alone is left out below its threshold, and one by words never is', () => {
    expect(isUnrelated({ lexical: undefined, dense: 0.19 })).toBe(true);
    expect(isUnrelated({ lexical: undefined, dense: 0.21 })).toBe(false);
    expect(isUnrelated({ lexical: 0.1, dense: 0.1 })).toBe(false);
  });
});
