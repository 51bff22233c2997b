/** Where MCP clients learn which issuer's tokens this hub takes: protected resource metadata (RFC 9728). No key needed. */
import { Hono } from 'hono';
import type { OauthConfiguration } from '../../shapes/configuration/config.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

/** The URL of the metadata, which a refusal names; undefined where no issuer is trusted. */
export function metadataUrl(oauth: OauthConfiguration | undefined): string | undefined {
  if (oauth === undefined) return undefined;
  const { origin, pathname } = new URL(oauth.resource);
  // RFC 9728, section 3.1: the well-known part stands between the host and the resource's own path.
  return `${origin}${wellKnown}${pathname === '/' ? '' : pathname}`;
}

/** The metadata, at the root and behind it for any path, since a proxy may serve the hub below one. */
export function protectedResourceRoutes({ issuer, resource }: OauthConfiguration): Hono {
  const metadata = {
    resource,
    authorization_servers: [issuer],
    bearer_methods_supported: ['header'],
    resource_name: 'Hestia',
  };
  const router = new Hono();
  router.get(wellKnown, (c) => c.json(metadata));
  router.get(`${wellKnown}/*`, (c) => c.json(metadata));
  return router;
}
