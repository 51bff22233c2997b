/** Signing in to the console: a session of an API key, opened by the key or by a one-time link. */
import { anonymousCaller, type Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { RateLimits } from './rate-limits.ts';
import { createSessions, type OpenedSession } from './sessions.ts';

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
  /** The code of a link that signs the holder of a key in once. @throws HestiaError UNAUTHENTICATED */
  createCode(secret: string): Promise<string>;
  /**
   * The session of a token, counted against the rate limit of its key; undefined if there is none, or if its key was revoked or
   * has expired. @throws HestiaError RATE_LIMITED
   */
  find(token: string): Promise<SignedIn | undefined>;
  /** Ends a session. Idempotent. */
  end(token: string): void;
}

/** Dependencies of {@link createSignIn}. */
export interface SignInDeps {
  /** Authenticates a key. @throws HestiaError UNAUTHENTICATED, RATE_LIMITED */
  admit: (request: { secret: string; address: string | undefined }) => Promise<Caller>;
  /** The caller of a key that is valid now. */
  callerOfKey: (keyId: string) => Promise<Caller | undefined>;
  rateLimits: RateLimits;
  trail: AuditTrail;
}

/** Creates it, without a session. */
export function createSignIn({ admit, callerOfKey, rateLimits, trail }: SignInDeps): SignIn {
  const sessions = createSessions(() => performance.now());
  const open = (caller: Caller, method: 'key' | 'link') =>
    inSpan('session.open', {}, async (span) => {
      const { keyId, agentId, namespace, role } = caller;
      const fields = { key_id: keyId, agent_id: agentId, namespace, role, method };
      await trail.record({ event: { kind: 'security', name: 'SIGNED_IN', failed: false, fields }, by: caller, span });
      return sessions.open(keyId);
    });
  const callerOfCode = async (code: string) => {
    const keyId = sessions.redeem(code);
    return keyId === undefined ? undefined : callerOfKey(keyId);
  };
  return {
    withKey: async (request) => {
      const caller = await admit(request);
      // An access token has no key that its session could end with.
      if ((await callerOfKey(caller.keyId)) === undefined)
        throw new HestiaError('UNAUTHENTICATED', 'sign in with an API key');
      return open(caller, 'key');
    },
    withCode: async ({ code, address }) => {
      const caller = await callerOfCode(code);
      if (caller !== undefined) return open(caller, 'link');
      await rateLimits.countFailure(address);
      await recordFailure(trail, address);
      throw new HestiaError(
        'UNAUTHENTICATED',
        'the link was used before or is older than ten minutes; sign in with a key',
      );
    },
    createCode: async (secret) => sessions.createCode((await admit({ secret, address: undefined })).keyId),
    find: async (token) => {
      const session = sessions.find(token);
      const caller = session && (await callerOfKey(session.keyId));
      if (session === undefined || caller === undefined) return undefined;
      await rateLimits.countRequest(caller);
      return { caller, formToken: session.formToken };
    },
    end: sessions.end,
  };
}

function recordFailure(trail: AuditTrail, address: string | undefined): Promise<void> {
  const fields = { agent_id: anonymousCaller.agentId, error_type: 'unknown' };
  const event = { kind: 'security', name: 'AUTH_FAILED', failed: true, fields } as const;
  return inSpan('session.open', {}, (span) =>
    trail.refusals.record({ event, by: anonymousCaller, span }, address ?? 'no address'),
  );
}
