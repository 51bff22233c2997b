/** Attempts to sign in at the issuer of access tokens: each belongs to one browser, and is used once. */
import { timingSafeEqual } from 'node:crypto';
import { BoundedMap } from '../../flow/bounded-map.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { IssuerClient } from '../../upstream/oauth/issuer-client.ts';
import { LoginFailure } from '../../upstream/oauth/login-error.ts';
import { secretDigest } from './authentication.ts';
import { randomSecret } from './sessions.ts';
import type { AccessTokens, AuthenticatedToken } from './tokens.ts';

/** What a browser returned with from the issuer (RFC 6749, section 4.1.2; RFC 9207), and its secret. */
export interface IssuerReturn {
  state: string | undefined;
  code: string | undefined;
  iss: string | undefined;
  error: string | undefined;
  browserSecret: string | undefined;
}

/** Why nobody is signed in: for the record, and for the reader. */
export interface IssuerRefusal {
  failure: 'expired' | 'invalid_token' | 'invalid_claims' | 'unknown';
  message: string;
}

/** Signs people in at the issuer. */
export interface IssuerSignIn {
  issuer: string;
  /** Where a browser begins, at the host that it returns to: only there it has the secret of its attempt. */
  startUrl: string;
  /** Begins an attempt. @throws HestiaError ISSUER_UNAVAILABLE */
  begin(): Promise<{ url: string; browserSecret: string }>;
  /** Ends an attempt with the subject of its access token. @throws HestiaError ISSUER_UNAVAILABLE */
  finish(returned: IssuerReturn): Promise<AuthenticatedToken | IssuerRefusal>;
}

/** Dependencies of the sign-in. */
export interface IssuerSignInDeps {
  issuer: string;
  startUrl: string;
  client: IssuerClient;
  tokens: AccessTokens;
  /** A clock that is never set back, in milliseconds. */
  now: () => number;
}

/** How long a person may take at the issuer, in milliseconds. */
export const attemptMsMax = 600_000;
/** The most attempts in progress; a further one replaces the oldest. */
const attemptsMax = 1000;

interface Attempt {
  codeVerifier: string;
  browserDigest: string;
  startedAt: number;
}

/** Creates the sign-in, without an attempt. */
export function createIssuerSignIn({ issuer, startUrl, client, tokens, now }: IssuerSignInDeps): IssuerSignIn {
  const attempts = new BoundedMap<string, Attempt>(attemptsMax);
  const take = (state: string): Attempt | undefined => {
    const attempt = attempts.get(secretDigest(state));
    attempts.delete(secretDigest(state));
    return attempt === undefined || now() - attempt.startedAt > attemptMsMax ? undefined : attempt;
  };
  return {
    issuer,
    startUrl,
    begin: async () => {
      const state = randomSecret();
      const browserSecret = randomSecret();
      const { url, codeVerifier } = await reached(() => client.begin(state));
      attempts.set(secretDigest(state), { codeVerifier, browserDigest: secretDigest(browserSecret), startedAt: now() });
      return { url, browserSecret };
    },
    finish: async ({ state, code, iss, error, browserSecret }) => {
      const attempt = state === undefined ? undefined : take(state);
      // A browser that did not begin the attempt would be signed in as someone else.
      if (attempt === undefined || browserSecret === undefined || !isOf(attempt, browserSecret)) return unknownAttempt;
      if (error !== undefined || code === undefined)
        return { failure: 'unknown', message: 'the issuer refused: nobody was signed in' };
      const token = await redeemed(() => client.redeem({ code, iss, codeVerifier: attempt.codeVerifier }));
      if (token === undefined)
        return { failure: 'invalid_token', message: 'the issuer did not accept the sign-in; begin again' };
      const authenticated = await tokens.caller(token);
      return 'failure' in authenticated
        ? { ...authenticated, message: refusals[authenticated.failure] }
        : authenticated;
    },
  };
}

const unknownAttempt: IssuerRefusal = {
  failure: 'unknown',
  message: 'this sign-in was used, is older than ten minutes, or began in another browser; begin again',
};

const refusals = {
  expired: 'the access token of the issuer has expired already',
  invalid_token: 'the access token of the issuer is not for this hub; see policy.oauth.resource and audience',
  invalid_claims:
    'the access token of the issuer does not name an agent, namespace and role; see policy.oauth.agentClaim',
} as const;

function isOf({ browserDigest }: Attempt, browserSecret: string): boolean {
  return timingSafeEqual(Buffer.from(browserDigest), Buffer.from(secretDigest(browserSecret)));
}

async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof LoginFailure)) throw cause;
    throw new HestiaError('ISSUER_UNAVAILABLE', `the issuer cannot be signed in at: ${cause.message}`, { cause });
  }
}

/** The token of a code; undefined if the issuer refuses the code. */
async function redeemed(work: () => Promise<string>): Promise<string | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof LoginFailure)) throw cause;
    if (cause.error !== 'unreachable') return undefined;
    throw new HestiaError('ISSUER_UNAVAILABLE', `the issuer cannot be signed in at: ${cause.message}`, { cause });
  }
}
