/** Errors of logins to upstream servers: a login that is missing, and a login that failed. */
import { AuthorizationServerMismatchError, IssuerMismatchError, OAuthError } from '@modelcontextprotocol/client';
import { type LoginAddress, loginCommand } from '../../shapes/oauth/credential.ts';
import type { LoginError } from '../../shapes/oauth/login.ts';

/** Why a person has to log in: never done, no longer accepted, or for further permissions. */
export type LoginNeed = 'no_login' | 'login_lost' | 'scope';

/** A request that cannot succeed until someone logs in. */
export class LoginRequiredError extends Error {
  override readonly name = 'LoginRequiredError';
  readonly need: LoginNeed;
  /** The command that mends it. */
  readonly command: string;

  constructor(need: LoginNeed, address: LoginAddress) {
    super('the server requires a login');
    this.need = need;
    this.command = loginCommand(address);
  }

  get httpStatus(): number {
    return this.need === 'scope' ? 403 : 401;
  }
}

/** The missing login among the causes of an error; undefined where there is none. */
export function loginRequired(error: unknown): LoginRequiredError | undefined {
  let current = error;
  for (let causes = 0; causes < causesMax && current instanceof Error; causes += 1) {
    if (current instanceof LoginRequiredError) return current;
    current = current.cause;
  }
  return undefined;
}

const causesMax = 5;

/** A login that failed, with a message of the hub. Text of a server is in none of its fields. */
export class LoginFailure extends Error {
  override readonly name = 'LoginFailure';
  readonly error: LoginError;

  constructor(error: LoginError, message: string) {
    super(message);
    this.error = error;
  }
}

/** Translates an error of the library. */
export function loginFailure(error: unknown): LoginFailure {
  if (error instanceof LoginFailure) return error;
  if (error instanceof IssuerMismatchError || error instanceof AuthorizationServerMismatchError) {
    return new LoginFailure('issuer_mismatch', 'the answer is not of the authorization server that was asked');
  }
  if (error instanceof OAuthError) {
    const code = /^[a-z_]{1,64}$/.test(error.code) ? ` (${error.code})` : '';
    if (error.code === 'access_denied') return new LoginFailure('denied', 'the login was denied');
    if (error.code === 'expired_token') return new LoginFailure('expired', 'the code has expired; start again');
    return new LoginFailure('refused', `the authorization server refused the login${code}`);
  }
  if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) {
    return new LoginFailure('unreachable', 'the authorization server cannot be reached');
  }
  return new LoginFailure('invalid_answer', 'the authorization server answered with something that cannot be used');
}
