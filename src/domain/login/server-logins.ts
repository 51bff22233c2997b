/** Logins to upstream servers on request of a caller: who may log in as whom, and their records. */
import { type Caller, hubCaller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import type { ChangeEvent } from '../../shapes/event.ts';
import { type LoginAddress, type LoginIdentity, loginCommand } from '../../shapes/oauth/credential.ts';
import type { LoginRequest, LoginView, LogoutRequest } from '../../shapes/oauth/login.ts';
import type { HttpServer } from '../../shapes/server.ts';
import { attributes } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { ConnectionPool } from '../../upstream/connection-pool.ts';
import type { Authorizations } from '../../upstream/oauth/authorizations.ts';
import type { Authorizer } from '../../upstream/oauth/authorizer.ts';
import { LoginFailure, type LoginNeed } from '../../upstream/oauth/login-error.ts';
import type { LoginReturn, Logins } from '../../upstream/oauth/logins.ts';
import { revokeTokens } from '../../upstream/oauth/revocation.ts';
import type { AccessGuard } from '../access/guard.ts';
import { checkPermission } from '../access/policy.ts';
import { isServerInScope } from '../access/scope.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** Logins to upstream servers. Errors: NOT_FOUND, FORBIDDEN, CONFLICT, INVALID_REQUEST, UPSTREAM_FAILED, STORAGE_FAILED. */
export interface ServerLogins {
  /** Begins a login of the hub, or of an agent where the server has `oauth.identity: agent`. */
  beginLogin(caller: Caller, serverId: string, request: LoginRequest): Promise<LoginView>;
  /** A login that the caller may have begun. */
  findLogin(caller: Caller, serverId: string, loginId: string): Promise<LoginView>;
  /** Finishes the login that a browser returned from; undefined for a state that is unknown, used or expired. */
  finishLogin(returned: LoginReturn): Promise<LoginView | undefined>;
  /** Deletes a login, and revokes its tokens where the authorization server offers it. Idempotent. */
  logout(caller: Caller, serverId: string, request: LogoutRequest): Promise<void>;
}

/** Dependencies of the logins. */
export interface ServerLoginsDeps {
  pool: ConnectionPool;
  authorizations: Authorizations;
  logins: Logins;
  trail: AuditTrail;
  guard: AccessGuard;
}

/** Creates the logins. */
export function createServerLogins(deps: ServerLoginsDeps): ServerLogins {
  const { logins } = deps;
  return {
    beginLogin: async (caller, serverId, { flow, ...agent }) => {
      const { address, authorizer, configuration } = await findTarget(deps, caller, { serverId, agent });
      const onCompleted = async () => {
        await recordChange(deps, caller, address, 'SERVER_LOGGED_IN');
        await connectAnew(deps, address);
      };
      const serverUrl = new URL(configuration.url);
      const target = { address, authorizer, serverUrl, oauth: configuration.oauth, onCompleted };
      return await logins.begin(target, flow).catch((error: unknown) => {
        if (!(error instanceof LoginFailure)) throw error;
        throw new HestiaError('UPSTREAM_FAILED', `the login cannot begin: ${error.message}`, { cause: error });
      });
    },
    findLogin: async (caller, serverId, loginId) => {
      const login = logins.find(loginId);
      const identity = login?.address.identity;
      await findTarget(deps, caller, { serverId, agent: identity?.kind === 'agent' ? identity : {} });
      if (login === undefined || login.address.serverId !== serverId) throw notFound('login');
      return login.view;
    },
    finishLogin: (returned) => logins.finish(returned),
    logout: async (caller, serverId, agent) => {
      const { address, authorizer } = await findTarget(deps, caller, { serverId, agent });
      const credential = await authorizer.forget();
      if (credential === undefined) return;
      await revokeTokens(credential);
      await recordChange(deps, caller, address, 'SERVER_LOGGED_OUT');
      await disconnect(deps, address);
    },
  };
}

/** Records that a login is missing. Never throws. */
export async function recordMissingLogin(
  { trail }: Pick<ServerLoginsDeps, 'trail'>,
  address: LoginAddress,
  need: LoginNeed,
): Promise<void> {
  const fields = {
    server_id: address.serverId,
    agent_id: address.identity.kind === 'agent' ? address.identity.agentId : hubCaller.agentId,
    namespace: address.identity.kind === 'agent' ? address.identity.namespace : hubCaller.namespace,
    reason: need,
    login_command: loginCommand(address),
  };
  const event = { kind: 'security', name: 'SERVER_LOGIN_REQUIRED', failed: true, fields } as const;
  await inSpan('server.login', { attributes: { [attributes.serverId]: address.serverId } }, (span) =>
    trail.record({ event, by: hubCaller, span }),
  );
}

/** A server that can be logged in to, as an identity. */
interface Target {
  address: LoginAddress;
  configuration: HttpServer;
  authorizer: Authorizer;
}

async function findTarget(
  { pool, authorizations, guard }: ServerLoginsDeps,
  caller: Caller,
  { serverId, agent }: { serverId: string; agent: LogoutRequest },
): Promise<Target> {
  const configuration = pool.configuration(serverId);
  const isPerAgent = configuration !== undefined && 'url' in configuration && configuration.oauth?.identity === 'agent';
  const isOperator = checkPermission(caller, 'server.manage') === 'allowed';
  const isOwn = isPerAgent && isSelf(caller, agent);
  await guard.require(caller, isOwn && !isOperator ? 'tool.call' : 'server.manage');
  if (configuration === undefined || !isServerInScope(caller.scope, serverId)) throw notFound('server');
  if (!isPerAgent && agent.agentId !== undefined) {
    throw new HestiaError('INVALID_REQUEST', 'agentId: must be absent, unless the server has oauth.identity "agent"');
  }
  const identity = isOperator ? identityOf(agent) : identityOf(caller);
  const authorizer = authorizations.find({ serverId, configuration }, identity);
  if (authorizer !== undefined && 'url' in configuration) {
    return { address: { serverId, identity }, configuration, authorizer };
  }
  const why = 'command' in configuration ? 'the hub starts it as a program' : 'its entry has an Authorization header';
  throw new HestiaError('CONFLICT', `the server needs no login: ${why}`);
}

function isSelf(caller: Caller, { agentId = caller.agentId, namespace = caller.namespace }: LogoutRequest): boolean {
  return agentId === caller.agentId && namespace === caller.namespace;
}

/** Agents log in as themselves; operators as the hub, which lists the tools, or for an agent. */
function identityOf({ agentId, namespace = 'default' }: LogoutRequest): LoginIdentity {
  return agentId === undefined ? { kind: 'hub' } : { kind: 'agent', agentId, namespace };
}

async function recordChange(
  { trail }: ServerLoginsDeps,
  by: Caller,
  { serverId, identity }: LoginAddress,
  name: Extract<ChangeEvent, 'SERVER_LOGGED_IN' | 'SERVER_LOGGED_OUT'>,
): Promise<void> {
  const agentId = identity.kind === 'agent' ? identity.agentId : by.agentId;
  const fields = { server_id: serverId, agent_id: agentId, namespace: by.namespace, identity: identity.kind };
  const spanName = name === 'SERVER_LOGGED_IN' ? 'server.login' : 'server.logout';
  await inSpan(spanName, { attributes: { [attributes.serverId]: serverId } }, (span) =>
    trail.commit({ event: { kind: 'change', name, fields }, by, span }, async () => undefined),
  );
}

/** Connects a server that is to be connected, with the new login. That of an agent connects at its next call. */
async function connectAnew({ pool }: ServerLoginsDeps, { serverId, identity }: LoginAddress): Promise<void> {
  const connection = pool.find(serverId);
  const isWanted = identity.kind === 'hub' && connection?.status().state !== 'disconnected';
  if (isWanted) await connection?.connect();
}

async function disconnect({ pool }: ServerLoginsDeps, { serverId, identity }: LoginAddress): Promise<void> {
  const connection = pool.find(serverId);
  if (identity.kind === 'agent') return connection?.agents?.close(identity);
  if (connection === undefined || connection.status().state === 'disconnected') return;
  await connection.disconnect();
  // It says then that a login is required.
  await connection.connect();
}
