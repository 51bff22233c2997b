/**
 * The sessions of people in a browser, in memory. Each belongs to an API key or an access token. Tokens and codes are random and
 * only their SHA-256 is kept, so that the memory of the process does not contain what signs in.
 */
import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../../flow/bounded-map.ts';
import { secretDigest } from './authentication.ts';
import type { AuthenticatedToken } from './tokens.ts';

/** Whom a session belongs to: an API key, or the subject of an access token that ends with the token. */
export type SessionHolder = { keyId: string } | AuthenticatedToken;

/** A session. */
export interface Session {
  holder: SessionHolder;
  /** The value that forms of this session send with each change, against forged requests. */
  formToken: string;
}

/** A session that was just opened. */
export interface OpenedSession extends Session {
  /** 256 random bits in base64url, for the cookie. */
  token: string;
}

/** The sessions, and the codes of one-time links. */
export interface Sessions {
  open(holder: SessionHolder): OpenedSession;
  /** The session of a token, which counts as used now; undefined if there is none or if it has expired. */
  find(token: string): Session | undefined;
  end(token: string): void;
  /** A code that opens one session of the key, within {@link linkMsMax}. */
  createCode(keyId: string): string;
  /** The key of a code, which cannot be used again. */
  redeem(code: string): string | undefined;
}

/** How long a session may be unused, in milliseconds. */
export const idleMsMax = 3_600_000;
/** How long a session lasts at most, in milliseconds. */
export const sessionMsMax = 43_200_000;
/** How long a one-time link can be used, in milliseconds. */
export const linkMsMax = 600_000;

/** The most sessions; beyond it the one that was opened longest ago ends. */
const sessionsMax = 1000;
/** The most codes that have not been used. */
const codesMax = 100;

interface StoredSession extends Session {
  openedAt: number;
  usedAt: number;
}

/**
 * Creates the sessions.
 * @param now a clock that is never set back, in milliseconds
 */
export function createSessions(now: () => number): Sessions {
  const sessions = new BoundedMap<string, StoredSession>(sessionsMax);
  const codes = new BoundedMap<string, { keyId: string; createdAt: number }>(codesMax);
  return {
    open: (holder) => {
      const token = randomSecret();
      const formToken = randomSecret();
      sessions.set(secretDigest(token), { holder, formToken, openedAt: now(), usedAt: now() });
      return { holder, formToken, token };
    },
    find: (token) => {
      const session = sessions.get(secretDigest(token));
      if (session === undefined) return undefined;
      if (now() - session.openedAt > sessionMsMax || now() - session.usedAt > idleMsMax) {
        sessions.delete(secretDigest(token));
        return undefined;
      }
      session.usedAt = now();
      return { holder: session.holder, formToken: session.formToken };
    },
    end: (token) => void sessions.delete(secretDigest(token)),
    createCode: (keyId) => {
      const code = randomSecret();
      codes.set(secretDigest(code), { keyId, createdAt: now() });
      return code;
    },
    redeem: (code) => {
      const found = codes.get(secretDigest(code));
      codes.delete(secretDigest(code));
      return found === undefined || now() - found.createdAt > linkMsMax ? undefined : found.keyId;
    },
  };
}

/** 256 random bits in base64url. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
