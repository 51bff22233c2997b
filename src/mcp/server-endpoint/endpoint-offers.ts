/** What an endpoint offers: the interface that those of one server and of all servers implement. */
import type { Implementation, ServerCapabilities, ServerEvent } from '@modelcontextprotocol/server';
import type {
  OfferingServer,
  OfferMethod,
  OfferOptions,
  ServerOfferChange,
  ServerSession,
} from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolDefinition, ToolResult } from '../../shapes/tool.ts';

/** The lists of an endpoint, apart from tools. */
export type OfferListKind = 'prompts' | 'resources' | 'templates';

/** What the endpoint says about itself at the start of a session. */
export interface EndpointFace {
  info: Implementation;
  capabilities: ServerCapabilities;
  instructions: string | undefined;
}

/** A tool under the name that it has at the endpoint. */
export interface EndpointTool {
  name: string;
  definition: ToolDefinition;
}

/** A request of a client, as far as it names what it is for. */
export interface TargetedRequest {
  method: string;
  params: JsonObject;
}

/** What an endpoint offers to a caller. Errors are those of the use cases. */
export interface EndpointOffers {
  /** @throws HestiaError NOT_FOUND for a server that the caller may not use */
  face(caller: Caller): Promise<EndpointFace>;
  /** The tools, also those that a server offers in a session of the client only. */
  tools(caller: Caller, via?: ServerSession): Promise<EndpointTool[]>;
  /** The server and the name of a tool; undefined for a name that no tool has. */
  toolAddress(name: string): { serverId: string; toolName: string } | undefined;
  /** A result of a tool, whose links lead to this endpoint. */
  toolResult(serverId: string, result: ToolResult): ToolResult;
  /** A list, as the servers sent it but for names and URIs of the endpoint. */
  list(caller: Caller, kind: OfferListKind, signal: AbortSignal): Promise<JsonObject[]>;
  request(
    caller: Caller,
    request: { method: OfferMethod; params: JsonObject },
    options: OfferOptions,
  ): Promise<JsonObject>;
  /** Subscribes to a resource until the returned function is called. */
  subscribe(caller: Caller, uri: string, via?: ServerSession): Promise<() => void>;
  /** The server that a request is for, which may ask the client for input; undefined for a request that is for no single server. */
  serverOf(caller: Caller, request: TargetedRequest, signal: AbortSignal): Promise<OfferingServer | undefined>;
  /** What a change means to clients of this endpoint; undefined if it does not concern them. */
  eventOf(change: ServerOfferChange): ServerEvent | undefined;
}
