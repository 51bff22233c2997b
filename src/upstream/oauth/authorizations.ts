/** The authorizers of all upstream servers over HTTP, by server and identity. */
import { isDeepStrictEqual } from 'node:util';
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { CredentialVault, LoginAddress, LoginIdentity } from '../../shapes/oauth/credential.ts';
import type { HttpServer, ServerConfiguration } from '../../shapes/server.ts';
import { type Authorizer, type AuthorizerDeps, createAuthorizer } from './authorizer.ts';

/** The authorizers. Connections and logins of one identity share one, so that they renew its token once. */
export interface Authorizations {
  /** The authorizer of an identity for a server; undefined for a server that needs none: it has its own Authorization header. */
  find(
    server: { serverId: string; configuration: ServerConfiguration },
    identity: LoginIdentity,
  ): Authorizer | undefined;
}

/** Dependencies of the authorizers. */
export interface AuthorizationsDeps {
  vault: CredentialVault;
  onLoginRequired: AuthorizerDeps['onLoginRequired'];
  now: () => number;
}

/** The most identities that are kept in memory. The logins of the others are read again. */
const authorizersMax = 10_000;

/** Creates the authorizers, each when it is first needed. */
export function createAuthorizations({ vault, onLoginRequired, now }: AuthorizationsDeps): Authorizations {
  const authorizers = new BoundedMap<string, { configuration: HttpServer; authorizer: Authorizer }>(authorizersMax);
  return {
    find: ({ serverId, configuration }, identity) => {
      if (!isAuthorized(configuration)) return undefined;
      const key = JSON.stringify([serverId, identity]);
      const found = authorizers.get(key);
      if (found !== undefined && isSame(found.configuration, configuration)) return found.authorizer;
      const address: LoginAddress = { serverId, identity };
      const { url, oauth } = configuration;
      const authorizer = createAuthorizer({ address, serverUrl: new URL(url), oauth, vault, onLoginRequired, now });
      authorizers.set(key, { configuration, authorizer });
      return authorizer;
    },
  };
}

/** Whether requests to a server get a token: those with a header of their own do not, unless it is configured so. */
function isAuthorized(configuration: ServerConfiguration): configuration is HttpServer {
  if ('command' in configuration) return false;
  const hasHeader = Object.keys(configuration.headers).some((name) => name.toLowerCase() === 'authorization');
  return configuration.oauth !== undefined || !hasHeader;
}

function isSame(one: HttpServer, other: HttpServer): boolean {
  return one.url === other.url && isDeepStrictEqual(one.oauth, other.oauth);
}
