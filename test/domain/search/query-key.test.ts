import { describe, expect, test } from 'vitest';
import { queryKey } from '../../../src/domain/search/query-key.ts';

describe('the key of a query', () => {
  test.each([
    ['order and grammar', 'Please list the keys in my vault', 'In my vault, list keys!'],
    ['placeholders', 'list keys in vault <vault-name>', 'list keys in vault <other>'],
    ['quoted literals', 'send "hello there" to Bob', 'send "good bye" to Bob'],
    ['addresses', 'read https://one.example/a?b=c now', 'read https://two.example/ now'],
    ['mail addresses', 'write to ann@one.example', 'write to bob@two.example'],
    ['ids', 'stop 0f8fad5b-d9cb-469f-a165-70867728950e', 'stop 7c9e6679-7425-40de-944b-e07fc1f90ae7'],
    ['numbers', 'show the last 5 runs', 'show the last 12 runs'],
    ['case and width', 'Read FILE', 'read ｆｉｌｅ'],
  ])('does not depend on %s', (_what, one, other) => {
    expect(queryKey(one)).toBeDefined();
    expect(queryKey(one)).toBe(queryKey(other));
  });

  test('distinguishes singular and plural, which ask for different tools', () => {
    expect(queryKey('show the key')).not.toBe(queryKey('show the keys'));
  });

  test.each(['', 'how do I', '"all quoted"', '<only> 12 34'])('is undefined for %j', (query) => {
    expect(queryKey(query)).toBeUndefined();
  });

  test('is limited in length', () => {
    expect(queryKey('word'.repeat(400) + Array.from({ length: 400 }, (_, at) => ` w${at}x`).join(''))?.length).toBe(
      500,
    );
  });
});
