/** What a login to an upstream server yields: the tokens, and the client that they were issued to. */
import { z } from 'zod';

/** An agent: names of agents are unique within a namespace only. */
export interface AgentName {
  agentId: string;
  namespace: string;
}

/** Whose login it is: that of the hub, or that of one agent. */
export type LoginIdentity = { kind: 'hub' } | ({ kind: 'agent' } & AgentName);

/** The login of a server by an identity. */
export interface LoginAddress {
  serverId: string;
  identity: LoginIdentity;
}

/** A credential. It holds secrets: it is stored encrypted, and never logged, recorded or shown. */
export const credentialSchema = z.object({
  /** The server's URL. A server that moved gets no token of the old place. */
  serverUrl: z.string(),
  /** The issuer identifier of the authorization server, which alone may receive what is here. */
  issuer: z.string(),
  authorizationServerUrl: z.string(),
  /** The resource indicator (RFC 8707). */
  resource: z.string().optional(),
  /** The client, by the names of RFC 7591. */
  client: z.object({
    client_id: z.string(),
    client_secret: z.string().optional(),
    token_endpoint_auth_method: z.string().optional(),
    /** The scopes that it was registered for. */
    scope: z.string().optional(),
  }),
  /** The redirect URI that the client was registered with. */
  redirectUrl: z.string().optional(),
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  scope: z.string().optional(),
  /** Unix milliseconds; undefined if the server did not say. */
  expiresAt: z.number().optional(),
});
export type Credential = z.infer<typeof credentialSchema>;

/** Where credentials are kept. All methods throw HestiaError STORAGE_FAILED if the store fails. */
export interface CredentialVault {
  /** Undefined where there is none, or where it cannot be decrypted with the present key. */
  find(address: LoginAddress): Promise<Credential | undefined>;
  /** Stores a credential, or replaces the one of the same address. */
  put(address: LoginAddress, credential: Credential): Promise<void>;
  /** Deletes a credential; false where there was none. */
  remove(address: LoginAddress): Promise<boolean>;
}

/** The command that mends a missing login. */
export function loginCommand({ serverId, identity }: LoginAddress): string {
  const name = /^[\w./:@-]+$/.test(serverId) ? serverId : `"${serverId}"`;
  if (identity.kind === 'hub') return `hestia servers login ${name}`;
  const namespace = identity.namespace === 'default' ? '' : ` --namespace ${identity.namespace}`;
  return `hestia servers login ${name} --agent ${identity.agentId}${namespace}`;
}

/** What the status of a server says where its login is missing. */
export function loginReason(address: LoginAddress): string {
  return `the server requires a login; run: ${loginCommand(address)}`;
}

/** The address of the login that the hub itself has. */
export function hubLogin(serverId: string): LoginAddress {
  return { serverId, identity: { kind: 'hub' } };
}
