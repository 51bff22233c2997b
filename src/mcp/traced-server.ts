/** The SDK's server with every request it handles under watch. */
import {
  type Implementation,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type Result,
  Server,
  type ServerContext,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import type { JsonObject } from '../shapes/json.ts';
import { type WatchedRequestDeps, watchRequest } from './request-span.ts';

/** What watching needs besides the server. */
export interface WatchedServerDeps extends WatchedRequestDeps {
  /** Whether a name belongs to a tool that exists; other names are not repeated on signals. */
  isKnownTool: (toolName: string) => boolean;
}

/** One instance serves one request, as the stateless protocol has it. */
export class WatchedServer extends Server {
  readonly #deps: WatchedServerDeps;

  constructor(info: Implementation, options: ServerOptions, deps: WatchedServerDeps) {
    super(info, options);
    this.#deps = deps;
  }

  protected override _wrapHandler(
    method: string,
    handler: (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>,
  ): (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result> {
    const inner = super._wrapHandler(method, handler);
    return (request, ctx) => {
      const { id, envelope, _meta: meta } = ctx.mcpReq;
      const { [PROTOCOL_VERSION_META_KEY]: protocolVersion }: JsonObject = { ...envelope };
      const watched = { method, toolName: knownToolName(this.#deps, method, request), id, protocolVersion, meta };
      return watchRequest(this.#deps, watched, () => inner(request, ctx));
    };
  }
}

function knownToolName(deps: WatchedServerDeps, method: string, request: JSONRPCRequest): string | undefined {
  const name = request.params?.name;
  return method === 'tools/call' && typeof name === 'string' && deps.isKnownTool(name) ? name : undefined;
}
