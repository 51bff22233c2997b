/** The router that remembers paths, compared with the one that searches. */
import { TrieRouter } from 'hono/router/trie-router';
import { describe, expect, test } from 'vitest';
import { createRememberingRouter } from '../../../src/http/routes/route-memory.ts';

const routes: [string, string][] = [
  ['ALL', '*'],
  ['ALL', '/mcp'],
  ['GET', '/v1/tools'],
  ['GET', '/v1/tools/:server/:tool'],
  ['POST', '/v1/tools/:server/:tool/call'],
  ['GET', '/v1/tile/:level/:index{.+}'],
];

function bothRouters() {
  const searching = new TrieRouter<string>();
  const remembering = createRememberingRouter<string>();
  for (const [method, path] of routes)
    for (const router of [searching, remembering]) router.add(method, path, `${method} ${path}`);
  return { searching, remembering };
}

describe('a path that was requested before', () => {
  test.each([
    ['POST', '/mcp'],
    ['GET', '/mcp'],
    ['GET', '/v1/tools'],
    ['GET', '/v1/tools/a/b'],
    ['POST', '/v1/tools/a/b/call'],
    ['GET', '/v1/tile/0/x001/067'],
    ['GET', '/unknown'],
    ['GET', `/v1/tools/a/${'b'.repeat(300)}`],
  ])('%s %s has the routes and parameters of a search', (method, path) => {
    const { searching, remembering } = bothRouters();
    for (let time = 0; time < 2; time += 1) {
      expect(remembering.match(method, path)).toEqual(searching.match(method, path));
    }
  });

  test('is not confused with another method or other parameters', () => {
    const { searching, remembering } = bothRouters();
    for (const [method, path] of [
      ['GET', '/v1/tools/a/b'],
      ['GET', '/v1/tools/c/d'],
      ['POST', '/v1/tools/a/b'],
    ] as const) {
      expect(remembering.match(method, path)).toEqual(searching.match(method, path));
    }
  });

  test('is searched again after a route was added', () => {
    const { remembering } = bothRouters();
    remembering.match('GET', '/late');
    remembering.add('GET', '/late', 'late');
    expect(remembering.match('GET', '/late')[0].map(([handler]) => handler)).toContain('late');
  });

  test('is still found when more paths were requested than are remembered', () => {
    const { searching, remembering } = bothRouters();
    for (let tool = 0; tool < 600; tool += 1) {
      const path = `/v1/tools/a/t${tool}`;
      expect(remembering.match('GET', path)).toEqual(searching.match('GET', path));
    }
    expect(remembering.match('ALL', '/mcp')).toEqual(searching.match('ALL', '/mcp'));
  });
});
