/** The SDK's server with a span and a duration around each request. */
import {
  type Implementation,
  type JSONRPCRequest,
  McpServer,
  PROTOCOL_VERSION_META_KEY,
  ProtocolError,
  type Result,
  Server,
  type ServerContext,
  type ServerOptions,
} from '@modelcontextprotocol/server';
import type { JsonObject } from '../shapes/json.ts';
import { type RequestEnding, type RequestSpanDeps, traceRequest } from './request-span.ts';

/** Dependencies of the traced server. */
export interface TracedServerDeps extends RequestSpanDeps {
  /** Whether a tool of this name exists; signals do not repeat other names. */
  isKnownTool: (toolName: string) => boolean;
  /** The input schema of a tool that the endpoint passes through. It names the arguments that headers must mirror. */
  inputSchemaOf?: (toolName: string) => JsonObject | undefined;
}

/** The server of one request, with the interface that the SDK's extensions need: the protocol is stateless. */
export class TracedMcpServer extends McpServer {
  override readonly server: TracedServer;
  readonly #inputSchemaOf: TracedServerDeps['inputSchemaOf'];

  constructor(info: Implementation, options: ServerOptions, deps: TracedServerDeps) {
    super(info);
    this.server = new TracedServer(info, options, deps);
    this.#inputSchemaOf = deps.inputSchemaOf;
  }

  /** The SDK compares the headers of a call with the arguments that this schema names. */
  override toolInputSchemaJson(name: string): JsonObject | undefined {
    return this.#inputSchemaOf?.(name);
  }
}

type Handler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>;

/** The SDK's server, whose requests are traced. */
export class TracedServer extends Server {
  readonly #deps: TracedServerDeps;

  constructor(info: Implementation, options: ServerOptions, deps: TracedServerDeps) {
    super(info, options);
    this.#deps = deps;
  }

  /**
   * Handles requests of these methods, whose parameters and results the SDK does not check. A server that handles one request
   * must not be given it for an unknown method, for which the SDK then answers with the status 404.
   */
  passThrough(methods: ReadonlySet<string>, handler: Handler): void {
    this.fallbackRequestHandler = async (request, ctx) => {
      if (!methods.has(request.method)) throw new ProtocolError(-32601, 'Method not found');
      return this._wrapHandler(request.method, handler)(request, ctx);
    };
  }

  protected override _wrapHandler(method: string, handler: Handler): Handler {
    return async (request, ctx) => {
      const inner = method === 'tools/call' ? this.#unchanged(handler) : super._wrapHandler(method, handler);
      const { id, envelope, _meta: meta } = ctx.mcpReq;
      const { [PROTOCOL_VERSION_META_KEY]: protocolVersion }: JsonObject = { ...envelope };
      const traced = { method, toolName: knownToolName(this.#deps, method, request), id, protocolVersion, meta };
      const ending = await traceRequest(this.#deps, traced, () => settled(inner(request, ctx)));
      if ('error' in ending) throw ending.error;
      return ending.result;
    };
  }

  /** The SDK checks a tool's result and drops fields that it does not know. The fields are put back here. */
  #unchanged(handler: Handler): Handler {
    return async (request, ctx) => {
      let result: Result | undefined;
      const checked = super._wrapHandler('tools/call', async (...call) => {
        result = await handler(...call);
        return result;
      });
      const checkedResult = await checked(request, ctx);
      return result ?? checkedResult;
    };
  }
}

async function settled(handling: Promise<Result>): Promise<RequestEnding<Result>> {
  try {
    return { result: await handling };
  } catch (error) {
    return { error };
  }
}

function knownToolName(deps: TracedServerDeps, method: string, request: JSONRPCRequest): string | undefined {
  const name = request.params?.name;
  return method === 'tools/call' && typeof name === 'string' && deps.isKnownTool(name) ? name : undefined;
}
