/** The part of oidc-provider that tests use. The package has no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface Token {
    accountId?: string;
    clientId: string;
    aud?: string;
    scope?: string;
    isExpired: boolean;
    destroy(): Promise<void>;
  }

  interface Interaction {
    prompt: { name: string };
    params: Record<string, string | undefined>;
    session?: { accountId: string };
  }

  interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    AccessToken: { find(value: string): Promise<Token | undefined> };
    ClientCredentials: { find(value: string): Promise<Token | undefined> };
    RefreshToken: { find(value: string): Promise<Token | undefined> };
    Grant: new (of: {
      accountId: string;
      clientId: string | undefined;
    }) => Grant;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: unknown): Promise<void>;
    on(event: 'grant.success', listener: (ctx: { oidc: { params: { grant_type: string } } }) => void): void;
  }
}
