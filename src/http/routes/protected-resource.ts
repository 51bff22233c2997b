/** OAuth 2.0 protected resource metadata (RFC 9728), which names the issuer of access tokens. Needs no key. */
import { Hono } from 'hono';
import type { OauthConfiguration } from '../../shapes/configuration/oauth.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

/** The URL of the metadata, as refusals name it. Undefined if no issuer is trusted. */
export function metadataUrl(oauth: OauthConfiguration | undefined): string | undefined {
  if (oauth === undefined) return undefined;
  const { origin, pathname } = new URL(oauth.resource);
  // RFC 9728, section 3.1: the well-known part is between the host and the path of the resource.
  return `${origin}${wellKnown}${pathname === '/' ? '' : pathname}`;
}

/** The metadata, at the well-known path and at any path below it, since a proxy may serve the hub below a path. */
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
