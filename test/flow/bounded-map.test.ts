import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundedMap } from '../../src/flow/bounded-map.ts';

function filled(entriesMax: number, keys: string): BoundedMap<string, number> {
  const map = new BoundedMap<string, number>(entriesMax);
  for (const [at, key] of [...keys].entries()) map.set(key, at);
  return map;
}

describe('a full bounded map', () => {
  test('evicts its oldest entry for a new one, and returns it', () => {
    const map = filled(3, 'abc');
    expect(map.set('d', 3)).toEqual(['a', 0]);
    expect([...map]).toEqual([
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ]);
    expect(map.has('a')).toBe(false);
    expect(map.size).toBe(3);
  });

  test('keeps an entry that is set again, as the newest', () => {
    const map = filled(3, 'abc');
    expect(map.set('a', 9)).toBeUndefined();
    expect(map.set('d', 3)).toEqual(['b', 1]);
    expect(map.get('a')).toBe(9);
  });

  test('does not keep an entry for being read', () => {
    const map = filled(2, 'ab');
    map.get('a');
    expect(map.set('c', 2)).toEqual(['a', 0]);
  });

  test('has room again after a deletion and after clearing', () => {
    const map = filled(2, 'abc');
    expect(map.delete('b')).toBe(true);
    expect(map.set('d', 3)).toBeUndefined();
    map.clear();
    expect(map.size).toBe(0);
    expect(map.set('e', 4)).toBeUndefined();
    expect([...map]).toEqual([['e', 4]]);
  });
});

describe('any sequence of operations', () => {
  const operation = fc.oneof(
    { weight: 20, arbitrary: fc.record({ kind: fc.constant('set' as const), key: fc.nat(12) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), key: fc.constant(0) }) },
  );

  test('leaves the entries that were set last, and evicts each other one once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(operation, { maxLength: 300 }), (entriesMax, operations) => {
        const map = new BoundedMap<number, number>(entriesMax);
        let expected: [number, number][] = [];
        for (const [at, { kind, key }] of operations.entries()) {
          if (kind === 'clear') {
            map.clear();
            expected = [];
            continue;
          }
          expected = expected.filter(([other]) => other !== key);
          if (kind === 'delete') {
            map.delete(key);
            continue;
          }
          expected.push([key, at]);
          const evicted = expected.length > entriesMax ? expected.shift() : undefined;
          expect(map.set(key, at)).toEqual(evicted);
        }
        expect([...map]).toEqual(expected);
      }),
    );
  });
});
