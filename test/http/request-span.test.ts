/** The parts of a request's URL on its span. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { urlParts } from '../../src/http/request-span.ts';

const expected = (url: string) => {
  const { hostname, port, pathname } = new URL(url);
  return { hostname, port, pathname };
};

describe('the parts of a normalised URL', () => {
  test('are those of the platform', () => {
    const url = fc
      .webUrl({ withQueryParameters: true, withFragments: true, authoritySettings: { withIPv4: true, withIPv6: true } })
      .filter((text) => !text.includes('@'));
    fc.assert(
      fc.property(url, fc.option(fc.integer({ min: 1, max: 65_535 })), (text, port) => {
        const parsed = new URL(text);
        if (port !== null) parsed.port = String(port);
        expect(urlParts(parsed.href)).toEqual(expected(parsed.href));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    'http://127.0.0.1:7420/mcp',
    'http://localhost/',
    'http://[::1]:7420/v1/tools?limit=1#top',
    'http://[::1]/a%20b',
    'http://hub.example:7420/a/b;c=1/[x]?q=/?',
  ])('of %s are those of the platform', (url) => {
    expect(urlParts(url)).toEqual(expected(url));
  });
});
