/** An OAuth issuer for tests: serves its metadata and key set over HTTP, and signs valid and invalid tokens. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** A running issuer. */
export interface IssuerServer extends AsyncDisposable {
  issuer: string;
  /** The number of requests for the key set. */
  keySetRequests(): number;
  /** While true, each response is a 503. */
  isDown: boolean;
  /** Signs a token, valid for five minutes unless the options say otherwise. */
  token(claims: JWTPayload & { sub?: string }, options?: TokenOptions): Promise<string>;
}

/** Deviations from a valid token. Times are seconds from now. */
export interface TokenOptions {
  issuer?: string;
  audience?: string;
  expiresIn?: number;
  /** Sign with a key that the issuer does not publish. */
  foreignKey?: boolean;
}

/** Starts an issuer on a free loopback port. `audience` is the default audience of its tokens. */
export async function startIssuerServer({ audience }: { audience: string }): Promise<IssuerServer> {
  const own = await generateKeyPair('ES256');
  const foreign = await generateKeyPair('ES256');
  const keySet = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
  const state = { isDown: false, keySetRequests: 0 };
  const server = createServer((request, response) => {
    const answers: Record<string, unknown> = {
      '/.well-known/oauth-authorization-server': { issuer, jwks_uri: `${issuer}/keys` },
      '/keys': keySet,
    };
    if (request.url === '/keys') state.keySetRequests += 1;
    const answer = answers[request.url ?? ''];
    response.statusCode = state.isDown ? 503 : answer === undefined ? 404 : 200;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
  return {
    issuer,
    keySetRequests: () => state.keySetRequests,
    get isDown() {
      return state.isDown;
    },
    set isDown(value) {
      state.isDown = value;
    },
    token: (claims, { expiresIn = 300, foreignKey = false, ...named } = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' })
        .setIssuer(named.issuer ?? issuer)
        .setAudience(named.audience ?? audience)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn)
        .sign(foreignKey ? foreign.privateKey : own.privateKey),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
