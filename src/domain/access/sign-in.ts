/** Signing in to the console by an API key, by a one-time link, or at the issuer of access tokens. */
import { anonymousCaller, type Caller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { IssuerRefusal, IssuerReturn, IssuerSignIn } from './issuer-sign-in.ts';
import type { RateLimits } from './rate-limits.ts';
import { createSessions, type OpenedSession, type SessionHolder } from './sessions.ts';

/** A session with the caller whom it belongs to. */
export interface SignedIn {
  caller: Caller;
  /** The value that forms of this session send with each change. */
  formToken: string;
}

/** Opens and ends sessions. */
export interface SignIn {
  /** Opens a session with an API key. @throws HestiaError UNAUTHENTICATED, RATE_LIMITED */
  withKey(request: { secret: string; address: string | undefined }): Promise<OpenedSession>;
  /** Opens a session with the code of a link, which then cannot be used again. @throws HestiaError UNAUTHENTICATED, RATE_LIMITED */
  withCode(request: { code: string; address: string | undefined }): Promise<OpenedSession>;
  /** The issuer that people can sign in at, and the address where they begin; undefined if none is configured. */
  issuer: { name: string; startUrl: string } | undefined;
  /**
   * Begins a sign-in at the issuer: the address to go to, and the secret of the browser that goes there.
   * @throws HestiaError NOT_FOUND without an issuer, ISSUER_UNAVAILABLE
   */
  beginAtIssuer(): Promise<{ url: string; browserSecret: string }>;
  /**
   * Opens a session of the subject that the browser returned with, until its access token expires. An attempt is used once.
   * @throws HestiaError UNAUTHENTICATED, RATE_LIMITED, ISSUER_UNAVAILABLE
   */
  atIssuer(returned: IssuerReturn, address: string | undefined): Promise<OpenedSession>;
  /** The code of a link that signs the holder of a key in once. @throws HestiaError UNAUTHENTICATED */
  createCode(secret: string): Promise<string>;
  /**
   * The session of a token, counted against the rate limit of its key; undefined if there is none, or if its key or access token
   * was revoked or has expired. @throws HestiaError RATE_LIMITED
   */
  find(token: string): Promise<SignedIn | undefined>;
  /** Whether the session of a token is open, which counts as a use of it. Not counted against a rate limit. */
  isOpen(token: string): Promise<boolean>;
  /** Ends a session. Idempotent. */
  end(token: string): void;
}

/** Dependencies of {@link createSignIn}. */
export interface SignInDeps {
  /** Authenticates a key. @throws HestiaError UNAUTHENTICATED, RATE_LIMITED */
  admit: (request: { secret: string; address: string | undefined }) => Promise<Caller>;
  /** The caller of a key or access token that is valid now. */
  callerOf: (holder: SessionHolder) => Promise<Caller | undefined>;
  /** Undefined if no issuer is configured. */
  issuerSignIn: IssuerSignIn | undefined;
  rateLimits: RateLimits;
  trail: AuditTrail;
}

/** Creates it, without a session. */
export function createSignIn(deps: SignInDeps): SignIn {
  const { admit, callerOf, issuerSignIn, rateLimits } = deps;
  const sessions = createSessions(() => performance.now());
  const open = async (holder: SessionHolder, caller: Caller, method: 'key' | 'link' | 'issuer') => {
    await recordSignIn(deps, caller, method);
    return sessions.open(holder);
  };
  const callerOfCode = async (code: string) => {
    const keyId = sessions.redeem(code);
    return keyId === undefined ? undefined : callerOf({ keyId });
  };
  return {
    withKey: async (request) => {
      const caller = await admit(request);
      // An access token has no key that its session could end with.
      if ((await callerOf({ keyId: caller.keyId })) === undefined)
        throw new HestiaError('UNAUTHENTICATED', 'sign in with an API key');
      return open({ keyId: caller.keyId }, caller, 'key');
    },
    withCode: async ({ code, address }) => {
      const caller = await callerOfCode(code);
      if (caller !== undefined) return open({ keyId: caller.keyId }, caller, 'link');
      return refuse(deps, address, usedLink);
    },
    issuer: issuerSignIn && { name: issuerSignIn.issuer, startUrl: issuerSignIn.startUrl },
    beginAtIssuer: async () => requireIssuer(deps).begin(),
    atIssuer: async (returned, address) => {
      const found = await requireIssuer(deps).finish(returned);
      if ('failure' in found) return refuse(deps, address, found);
      const caller = await callerOf(found);
      if (caller === undefined) return refuse(deps, address, expiredToken);
      return open(found, caller, 'issuer');
    },
    createCode: async (secret) => sessions.createCode((await admit({ secret, address: undefined })).keyId),
    find: async (token) => {
      const session = sessions.find(token);
      const caller = session && (await callerOf(session.holder));
      if (session === undefined || caller === undefined) return undefined;
      await rateLimits.countRequest(caller);
      return { caller, formToken: session.formToken };
    },
    isOpen: async (token) => {
      const session = sessions.find(token);
      return session !== undefined && (await callerOf(session.holder)) !== undefined;
    },
    end: sessions.end,
  };
}

function requireIssuer({ issuerSignIn }: SignInDeps): IssuerSignIn {
  if (issuerSignIn === undefined) throw notFound('page');
  return issuerSignIn;
}

function recordSignIn({ trail }: SignInDeps, caller: Caller, method: 'key' | 'link' | 'issuer'): Promise<boolean> {
  const { keyId, agentId, namespace, role } = caller;
  const fields = { key_id: keyId, agent_id: agentId, namespace, role, method };
  const event = { kind: 'security', name: 'SIGNED_IN', failed: false, fields } as const;
  return inSpan('session.open', {}, (span) => trail.record({ event, by: caller, span }));
}

const usedLink: IssuerRefusal = {
  failure: 'unknown',
  message: 'the link was used before or is older than ten minutes; sign in with a key',
};
const expiredToken: IssuerRefusal = {
  failure: 'expired',
  message: 'the access token of the issuer has expired already',
};

/** Counts and records a refusal. @throws HestiaError always: UNAUTHENTICATED or RATE_LIMITED */
async function refuse(
  { rateLimits, trail }: SignInDeps,
  address: string | undefined,
  { failure, message }: IssuerRefusal,
): Promise<never> {
  await rateLimits.countFailure(address);
  const fields = { agent_id: anonymousCaller.agentId, error_type: failure };
  const event = { kind: 'security', name: 'AUTH_FAILED', failed: true, fields } as const;
  await inSpan('session.open', {}, (span) =>
    trail.refusals.record({ event, by: anonymousCaller, span }, address ?? 'no address'),
  );
  throw new HestiaError('UNAUTHENTICATED', message);
}
