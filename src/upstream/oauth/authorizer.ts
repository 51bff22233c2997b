/**
 * The access token of one identity for one upstream server. It is renewed before it expires and when it is refused. Where
 * that fails, a person has to log in. One renewal runs at a time, since refresh tokens are used once.
 */
import {
  auth,
  computeScopeUnion,
  discoverAuthorizationServerMetadata,
  type FetchLike,
  OAuthError,
  refreshAuthorization,
} from '@modelcontextprotocol/client';
import type { Credential, CredentialVault, LoginAddress } from '../../shapes/oauth/credential.ts';
import type { ServerOauth } from '../../shapes/oauth/server-oauth.ts';
import { type Challenge, challengeOf, discoverServer } from './discovery.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import { type LoginNeed, LoginRequiredError, loginFailure } from './login-error.ts';
import { clientAuthentication, createLogin, credentialOf, tokenFields } from './login-provider.ts';

/** A response that refuses a request: 401, or 403. Header names are in lower case. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  /** The token that the request had. */
  token: string | undefined;
}

/** The authorizer of one identity. */
export interface Authorizer {
  /**
   * The access token for a request; undefined without a login.
   * @throws LoginRequiredError if the login is no longer accepted; Error if the authorization server cannot be reached
   */
  token(): Promise<string | undefined>;
  /**
   * Called with a refusal. Renews what can be renewed.
   * @returns true if the request may succeed now; false if no login would help
   * @throws LoginRequiredError; Error if the authorization server cannot be reached
   */
  onRefused(refusal: Refusal): Promise<boolean>;
  /** Does nothing if there is a login, or if the hub logs in by itself. @throws LoginRequiredError */
  requireLogin(): Promise<void>;
  /** Called with the refusal of a request that had a renewed token. @returns the error to throw */
  onRefusedAgain(): LoginRequiredError;
  /** What the server said at its last refusal. */
  challenge(): Challenge | undefined;
  /** The scopes that the next login has to request, after a refusal for want of them. */
  wantedScope(): string | undefined;
  credential(): Promise<Credential | undefined>;
  /** Stores the credential of a new login. @throws HestiaError STORAGE_FAILED */
  accept(credential: Credential): Promise<void>;
  /** Deletes the login. @returns what it was @throws HestiaError STORAGE_FAILED */
  forget(): Promise<Credential | undefined>;
}

/** Dependencies of an authorizer. */
export interface AuthorizerDeps {
  address: LoginAddress;
  serverUrl: URL;
  oauth: ServerOauth | undefined;
  vault: CredentialVault;
  /** Called when a login is found missing, once until the next login. */
  onLoginRequired: (address: LoginAddress, need: LoginNeed) => void;
  /** Unix milliseconds. */
  now: () => number;
}

/** How long before its end a token is renewed, in milliseconds. */
const renewalMs = 30_000;

/** Errors of the token endpoint after which a refresh token is of no use (RFC 6749, section 5.2). */
const finalErrors = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client', 'invalid_scope']);

/** Creates an authorizer. The stored login is read when it is first needed. */
export function createAuthorizer(deps: AuthorizerDeps): Authorizer {
  return new StoredAuthorizer(deps);
}

class StoredAuthorizer implements Authorizer {
  readonly #deps: AuthorizerDeps;
  readonly #fetch: FetchLike;
  #loaded: Promise<Credential | undefined> | undefined;
  #renewing: Promise<string> | undefined;
  #challenge: Challenge | undefined;
  #wantedScope: string | undefined;
  #isProtected: Promise<boolean> | undefined;
  #reported: LoginNeed | undefined;

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps;
    this.#fetch = createGuardedFetch(deps.serverUrl);
  }

  challenge(): Challenge | undefined {
    return this.#challenge;
  }

  wantedScope(): string | undefined {
    return this.#wantedScope;
  }

  credential(): Promise<Credential | undefined> {
    const { vault, address, serverUrl } = this.#deps;
    this.#loaded ??= vault
      .find(address)
      .then((found) => (found?.serverUrl === serverUrl.href ? found : undefined))
      .catch((error: unknown) => {
        this.#loaded = undefined;
        throw error;
      });
    return this.#loaded;
  }

  async token(): Promise<string | undefined> {
    const credential = await this.credential();
    if (credential === undefined) return this.#isMachine() ? this.#renew() : undefined;
    const { expiresAt, accessToken } = credential;
    const isEnding = expiresAt !== undefined && expiresAt - this.#deps.now() < renewalMs;
    return isEnding && this.#isRenewable(credential) ? this.#renew() : accessToken;
  }

  async onRefused({ status, headers, token }: Refusal): Promise<boolean> {
    const challenge = challengeOf(headers);
    const credential = await this.credential();
    if (status === 403) return challenge.error === 'insufficient_scope' && this.#widen(challenge, credential);
    this.#challenge = challenge;
    if (token !== undefined && token !== credential?.accessToken && credential !== undefined) return true;
    if (this.#isMachine() || (credential !== undefined && this.#isRenewable(credential))) {
      await this.#renew();
      return true;
    }
    if (credential !== undefined) return this.#lose();
    if (await this.#hasAuthorizationServer(challenge)) throw this.#required('no_login');
    return false;
  }

  async requireLogin(): Promise<void> {
    if (!this.#isMachine() && (await this.credential()) === undefined) throw this.#required('no_login');
  }

  onRefusedAgain(): LoginRequiredError {
    return this.#required('login_lost');
  }

  async accept(credential: Credential): Promise<void> {
    await this.#deps.vault.put(this.#deps.address, credential);
    this.#loaded = Promise.resolve(credential);
    this.#wantedScope = undefined;
    this.#reported = undefined;
  }

  async forget(): Promise<Credential | undefined> {
    const credential = await this.credential();
    await this.#deps.vault.remove(this.#deps.address);
    this.#loaded = Promise.resolve(undefined);
    return credential;
  }

  #isMachine(): boolean {
    return this.#deps.oauth?.grant === 'client_credentials';
  }

  #isRenewable({ refreshToken }: Credential): boolean {
    return this.#isMachine() || refreshToken !== undefined;
  }

  #renew(): Promise<string> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<string> {
    const before = await this.credential();
    const renewed = this.#isMachine() ? await this.#obtain(before) : await this.#refresh(before);
    await this.accept(renewed);
    return renewed.accessToken;
  }

  /** Uses the refresh token, which the server may replace by another one. */
  async #refresh(credential: Credential | undefined): Promise<Credential> {
    if (credential?.refreshToken === undefined) return this.#lose();
    const { authorizationServerUrl, client, refreshToken, resource } = credential;
    try {
      const metadata = await discoverAuthorizationServerMetadata(authorizationServerUrl, { fetchFn: this.#fetch });
      if (metadata !== undefined && metadata.issuer !== credential.issuer) return this.#lose();
      const tokens = await refreshAuthorization(authorizationServerUrl, {
        ...(metadata !== undefined && { metadata }),
        clientInformation: client,
        refreshToken,
        ...(resource !== undefined && { resource }),
        ...clientAuthentication(this.#deps.oauth),
        fetchFn: this.#fetch,
      });
      const { expiresAt: _, ...kept } = credential;
      return { ...kept, ...tokenFields(tokens, this.#deps.now()) };
    } catch (error) {
      if (error instanceof OAuthError && finalErrors.has(error.code)) return this.#lose();
      throw error;
    }
  }

  /** Logs in with the secret of the hub (RFC 6749, section 4.4). */
  async #obtain(known: Credential | undefined): Promise<Credential> {
    const { serverUrl, oauth, now } = this.#deps;
    const challenge = this.#challenge;
    const fetchFn = this.#fetch;
    const scope = this.#wantedScope ?? oauth?.scopes?.join(' ') ?? challenge?.scope;
    const deps = { serverUrl, oauth, redirectUrl: undefined, clientMetadataUrl: undefined, known, scope, now };
    const login = createLogin(deps, '', 'client_credentials');
    try {
      login.draft.discovery = await discoverServer({ serverUrl, oauth, known, challenge, fetch: fetchFn });
      await auth(login.provider, { serverUrl, fetchFn, ...(scope !== undefined && { scope }) });
    } catch (error) {
      if (loginFailure(error).error === 'unreachable') throw error;
      throw this.#required('login_lost');
    }
    const credential = credentialOf(login);
    if (credential === undefined) throw this.#required('no_login');
    return credential;
  }

  /** Requests further scopes, where that needs no person. */
  async #widen(challenge: Challenge, credential: Credential | undefined): Promise<boolean> {
    const wanted = computeScopeUnion(this.#wantedScope ?? credential?.scope, challenge.scope);
    const isNew = wanted !== this.#wantedScope && wanted !== credential?.scope;
    this.#wantedScope = wanted;
    if (!this.#isMachine()) throw this.#required('scope');
    if (!isNew) return false;
    await this.#renew();
    return true;
  }

  /** Deletes a login that the server no longer accepts. @throws LoginRequiredError always */
  async #lose(): Promise<never> {
    await this.#deps.vault.remove(this.#deps.address);
    this.#loaded = Promise.resolve(undefined);
    throw this.#required('login_lost');
  }

  /** The error for a missing login, which is reported once. */
  #required(need: LoginNeed): LoginRequiredError {
    // A login that was lost is missing from then on, which is no news.
    const isNews = this.#reported === undefined || (need !== 'no_login' && need !== this.#reported);
    if (isNews) this.#deps.onLoginRequired(this.#deps.address, need);
    if (isNews) this.#reported = need;
    return new LoginRequiredError(need, this.#deps.address);
  }

  /** Whether a login is possible: the server says so, or metadata of an authorization server is found. */
  #hasAuthorizationServer(challenge: Challenge): Promise<boolean> {
    if (this.#deps.oauth !== undefined || challenge.resourceMetadataUrl !== undefined) return Promise.resolve(true);
    const { serverUrl, oauth } = this.#deps;
    this.#isProtected ??= discoverServer({ serverUrl, oauth, known: undefined, challenge, fetch: this.#fetch }).then(
      ({ authorizationServerMetadata }) => authorizationServerMetadata !== undefined,
      () => false,
    );
    return this.#isProtected;
  }
}
