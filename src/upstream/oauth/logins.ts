/**
 * Logins in progress. A login ends when its browser returns, when its device code was entered, or when it expires. It is
 * held in memory: a restart of the hub ends it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { auth } from '@modelcontextprotocol/client';
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { LoginAddress } from '../../shapes/oauth/credential.ts';
import type { LoginRequest, LoginView } from '../../shapes/oauth/login.ts';
import { isLoopback, type ServerOauth } from '../../shapes/oauth/server-oauth.ts';
import type { Authorizer } from './authorizer.ts';
import { requestDeviceCode } from './device-login.ts';
import { discoverServer } from './discovery.ts';
import { createGuardedFetch, requireSafe } from './guarded-fetch.ts';
import { LoginFailure, loginFailure } from './login-error.ts';
import { createLogin, credentialOf, deviceCodeGrant, type Login } from './login-provider.ts';

/** What a login is for. */
export interface LoginTarget {
  address: LoginAddress;
  serverUrl: URL;
  oauth: ServerOauth | undefined;
  authorizer: Authorizer;
  /** Called once the credential is stored. */
  onCompleted: () => Promise<void>;
}

/** What the browser returned with (RFC 6749, section 4.1.2; RFC 9207). */
export interface LoginReturn {
  state: string | undefined;
  code: string | undefined;
  iss: string | undefined;
  error: string | undefined;
}

/** The logins. Disposal ends those in progress. */
export interface Logins extends Disposable {
  /** Begins a login. @throws LoginFailure */
  begin(target: LoginTarget, flow: LoginRequest['flow']): Promise<LoginView>;
  /** A login by its id, until some minutes after its end. */
  find(loginId: string): { view: LoginView; address: LoginAddress } | undefined;
  /** Finishes the login that a browser returned from; undefined for a state that is unknown, used or expired. Never throws. */
  finish(returned: LoginReturn): Promise<LoginView | undefined>;
}

/** Dependencies of the logins. */
export interface LoginsDeps {
  /** Where browsers return to; undefined if the hub has no address that they may be sent to. */
  redirectUrl: string | undefined;
  clientMetadataUrl: string | undefined;
  now: () => number;
}

interface Pending {
  view: LoginView;
  target: LoginTarget;
  login: Login;
  expiresAt: number;
}

/** How long a person may take, in milliseconds. */
const loginMsMax = 600_000;
/** The most logins that are kept. A further one replaces the oldest. */
const loginsMax = 256;

/** Creates the logins. */
export function createLogins(deps: LoginsDeps): Logins {
  return new LoginsInProgress(deps);
}

class LoginsInProgress implements Logins {
  readonly #deps: LoginsDeps;
  readonly #byId = new BoundedMap<string, Pending>(loginsMax);
  readonly #byState = new BoundedMap<string, Pending>(loginsMax);
  readonly #ending = new AbortController();

  constructor(deps: LoginsDeps) {
    this.#deps = deps;
  }

  async begin(target: LoginTarget, flow: LoginRequest['flow']): Promise<LoginView> {
    const state = randomBytes(32).toString('base64url');
    const isMachine = target.oauth?.grant === 'client_credentials';
    const grant = isMachine ? 'client_credentials' : flow === 'device' ? deviceCodeGrant : 'authorization_code';
    const pending = await preparePending(this.#deps, { target, state, grant });
    this.#byId.set(pending.view.loginId, pending);
    if (isMachine) return this.#complete(pending, () => authorize(pending, {}));
    try {
      await (flow === 'device' ? this.#beginDevice(pending) : this.#beginBrowser(pending, state));
    } catch (error) {
      throw loginFailure(error);
    }
    pending.view = { ...pending.view, expiresAt: new Date(pending.expiresAt).toISOString() };
    return pending.view;
  }

  find(loginId: string) {
    const pending = this.#byId.get(loginId);
    if (pending === undefined) return undefined;
    const hasExpired = pending.view.state === 'pending' && pending.expiresAt <= this.#deps.now();
    if (hasExpired) pending.view = expired(pending.view);
    return { view: pending.view, address: pending.target.address };
  }

  async finish({ state, code, iss, error }: LoginReturn): Promise<LoginView | undefined> {
    const pending = state === undefined ? undefined : this.#byState.get(state);
    if (state === undefined || pending === undefined) return undefined;
    this.#byState.delete(state);
    if (pending.expiresAt <= this.#deps.now()) return undefined;
    return this.#complete(pending, async () => {
      if (error === 'access_denied') throw new LoginFailure('denied', 'the login was denied');
      if (error !== undefined || code === undefined) {
        throw new LoginFailure('refused', 'the authorization server refused the login');
      }
      await authorize(pending, { authorizationCode: code, ...(iss !== undefined && { iss }) });
    });
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #beginBrowser(pending: Pending, state: string): Promise<void> {
    const { login, target } = pending;
    await authorize(pending, {});
    const url = login.draft.authorizationUrl;
    if (url === undefined) throw new LoginFailure('invalid_answer', 'the server named no address to log in at');
    // CVE-2025-6514: the address is one of http, and is never passed to a shell.
    requireSafe(url, isLoopback(target.serverUrl.hostname));
    this.#byState.set(state, pending);
    pending.view = { ...pending.view, url: url.href };
  }

  async #beginDevice(pending: Pending): Promise<void> {
    const { login, target } = pending;
    const fetch = createGuardedFetch(target.serverUrl);
    const { poll, url, userCode, expiresInMs } = await requestDeviceCode({ login, scope: scopeOf(target), fetch });
    pending.expiresAt = Math.min(pending.expiresAt, this.#deps.now() + expiresInMs);
    pending.view = { ...pending.view, url, userCode };
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(Math.min(loginMsMax, expiresInMs))]);
    void this.#complete(pending, () => poll(signal));
  }

  /** Does the last step of a login, and stores what it yields. Never throws. */
  async #complete(pending: Pending, work: () => Promise<void>): Promise<LoginView> {
    try {
      await work();
      const credential = credentialOf(pending.login);
      if (credential === undefined) throw new LoginFailure('invalid_answer', 'the server issued no token');
      await pending.target.authorizer.accept(credential);
      await pending.target.onCompleted();
      pending.view = { ...finished(pending.view), state: 'completed' };
    } catch (error) {
      const { error: reason, message } = loginFailure(error);
      pending.view = { ...finished(pending.view), state: 'failed', error: reason, message };
    }
    return pending.view;
  }
}

/** Finds the authorization server, and creates the login. @throws LoginFailure */
async function preparePending(
  { redirectUrl, clientMetadataUrl, now }: LoginsDeps,
  { target, state, grant }: { target: LoginTarget; state: string; grant: string },
): Promise<Pending> {
  const { address, serverUrl, oauth, authorizer } = target;
  const isBrowser = grant === 'authorization_code';
  if (isBrowser && redirectUrl === undefined) {
    throw new LoginFailure('refused', 'the hub has no address that a browser may return to; set logins.publicUrl');
  }
  const known = await authorizer.credential();
  const login = createLogin(
    {
      ...{ serverUrl, oauth, known, clientMetadataUrl, scope: scopeOf(target), now },
      redirectUrl: isBrowser ? redirectUrl : undefined,
    },
    state,
    grant,
  );
  try {
    const fetch = createGuardedFetch(serverUrl);
    const challenge = authorizer.challenge();
    login.draft.discovery = await discoverServer({ serverUrl, oauth, known, challenge, fetch });
  } catch (error) {
    throw loginFailure(error);
  }
  const view: LoginView = { loginId: `login_${randomUUID()}`, serverId: address.serverId, state: 'pending' };
  return { view, target, login, expiresAt: now() + loginMsMax };
}

/** Runs a step of the library's flow: to the address to log in at, or with a code from there to the tokens. */
async function authorize(
  { login, target }: Pending,
  returned: { authorizationCode?: string; iss?: string },
): Promise<void> {
  const { serverUrl } = target;
  const scope = scopeOf(target);
  await auth(login.provider, {
    ...{ serverUrl, forceReauthorization: true, fetchFn: createGuardedFetch(serverUrl), ...returned },
    ...(scope !== undefined && { scope }),
  });
}

/** Scopes to request: those that a call lacked, else the configured ones, else those that the server named. */
function scopeOf({ oauth, authorizer }: LoginTarget): string | undefined {
  return authorizer.wantedScope() ?? oauth?.scopes?.join(' ') ?? authorizer.challenge()?.scope;
}

function finished({ loginId, serverId }: LoginView): Pick<LoginView, 'loginId' | 'serverId'> {
  return { loginId, serverId };
}

function expired(view: LoginView): LoginView {
  return { ...finished(view), state: 'failed', error: 'expired', message: 'nobody logged in in time; start again' };
}
