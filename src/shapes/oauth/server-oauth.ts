/** How the hub logs in to an upstream server that requires OAuth 2.1: the key `oauth` of an entry. */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';

/** True for an address that only this machine can reach. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** True for an URL over TLS, or to this machine. */
export function isProtected(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

const protectedUrl = z
  .url()
  .refine((text) => URL.canParse(text) && isProtected(new URL(text)), 'must be an https URL, or http on this machine');

/** Algorithms that sign the assertion of a client. */
const signingAlgorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
type SigningAlgorithm = (typeof signingAlgorithms)[number];

const algorithmOfCurve: Readonly<Record<string, SigningAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** The algorithm that fits a private key in PEM; undefined for a text that is no such key, and for a key of another kind. */
export function algorithmOf(privateKey: string): SigningAlgorithm | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(privateKey);
    if (asymmetricKeyType === 'rsa') return 'RS256';
    return asymmetricKeyType === 'ec' ? algorithmOfCurve[asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
  } catch {
    return undefined;
  }
}

/** `oauth` of a server. Without it the hub registers itself, and logs in by a browser or a device code. */
export const serverOauthSchema = z
  .strictObject({
    grant: z
      .enum(['authorization_code', 'client_credentials'])
      .default('authorization_code')
      .describe('`authorization_code`: a person logs in. `client_credentials`: the hub logs in with its secret.'),
    identity: z
      .enum(['hub', 'agent'])
      .default('hub')
      .describe('`hub`: one login for all agents. `agent`: each agent calls with a login of its own.'),
    clientId: z.string().min(1).optional().describe('The id of a client that is registered already.'),
    clientSecret: z.string().min(1).optional().describe('Its secret.'),
    privateKey: z
      .string()
      .refine((text) => algorithmOf(text) !== undefined, 'must be a private RSA or EC key in PEM (PKCS#8)')
      .optional()
      .describe('Its private key in PEM (PKCS#8), which signs its requests instead of a secret (`private_key_jwt`).'),
    signingAlgorithm: z
      .enum(signingAlgorithms)
      .optional()
      .describe('The algorithm of `privateKey`. If unset: RS256, or that of the curve.'),
    clientMetadataUrl: z
      .url({ protocol: /^https$/ })
      .optional()
      .describe(
        'A client id metadata document that describes this hub. It is the client id where the server accepts it.',
      ),
    issuer: protectedUrl
      .optional()
      .describe('The only authorization server to log in to. If unset: that of the first login.'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
      .optional()
      .describe('Scopes to request.'),
  })
  .refine(({ clientId, clientSecret }) => clientId !== undefined || clientSecret === undefined, {
    path: ['clientId'],
    message: 'must be present beside "clientSecret"',
  })
  .refine(({ clientId, privateKey }) => clientId !== undefined || privateKey === undefined, {
    path: ['clientId'],
    message: 'must be present beside "privateKey"',
  })
  .refine(({ clientSecret, privateKey }) => clientSecret === undefined || privateKey === undefined, {
    path: ['privateKey'],
    message: 'must be absent beside "clientSecret": a client has one of them',
  })
  .refine(
    ({ grant, clientSecret, privateKey }) =>
      grant !== 'client_credentials' || clientSecret !== undefined || privateKey !== undefined,
    {
      path: ['clientSecret'],
      message: 'must be present, or "privateKey", beside "clientId", for client_credentials',
    },
  )
  .refine(({ grant, identity }) => grant !== 'client_credentials' || identity === 'hub', {
    path: ['identity'],
    message: 'must be "hub" for client_credentials, which are those of the hub',
  });
export type ServerOauth = z.infer<typeof serverOauthSchema>;

/** `logins` in the configuration: where a login returns to, and the key that encrypts what it yields. */
export const loginsSchema = z
  .strictObject({
    publicUrl: protectedUrl
      .optional()
      .describe('The URL of the hub as browsers reach it. If unset: http://127.0.0.1 with its port.'),
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe('File of the key that encrypts tokens: 32 bytes in hex. If unset: `logins.key` in the data directory.'),
  })
  .prefault({});
export type LoginsConfiguration = z.infer<typeof loginsSchema>;

/** Paths of the hub that need no key: where browsers return to, and what describes the hub to authorization servers. */
export const loginPaths = { callback: '/oauth/callback', clientMetadata: '/oauth/client-metadata.json' } as const;

/** Paths of the sign-in at the issuer of access tokens: where a browser begins, and where the issuer sends it back to. */
export const issuerPaths = { start: '/console/sign-in/issuer', back: '/console/sign-in/issuer/return' } as const;
