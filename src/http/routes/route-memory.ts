/** A router that remembers the routes of the last requested paths, so that they are searched once. */
import type { Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';
import { BoundedMap } from '../../flow/bounded-map.ts';

/** The paths that are remembered, and their greatest length. Longer ones are searched each time. */
const pathsMax = 256;
const pathLengthMax = 256;

/**
 * Creates the router. `router` searches: by default the only one of the library that has all our patterns, which takes .9 us for
 * `/mcp`. The library does not change what a router has found.
 */
export function createRememberingRouter<T>(router: Router<T> = new TrieRouter<T>()): Router<T> {
  const remembered = new BoundedMap<string, ReturnType<Router<T>['match']>>(pathsMax);
  return {
    name: 'RememberingRouter',
    add: (method, path, handler) => {
      remembered.clear();
      router.add(method, path, handler);
    },
    match: (method, path) => {
      const key = `${method} ${path}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const found = router.match(method, path);
      if (path.length <= pathLengthMax) remembered.set(key, found);
      return found;
    },
  };
}
