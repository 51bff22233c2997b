/** Calls of tools at the endpoint of one server or of all. They are the same calls as those of `call_mcp_tool`. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { ServerOffers } from '../../domain/server-offers.ts';
import type { ToolCall } from '../../domain/tool-call.ts';
import type { Caller } from '../../shapes/access.ts';
import { notFound } from '../../shapes/error.ts';
import { type JsonObject, jsonObjectSchema } from '../../shapes/json.ts';
import type { Log } from '../../telemetry/log.ts';
import type { HubTools } from '../hub-tools.ts';
import { passedThrough } from '../passed-result.ts';
import { invalidArguments } from '../tool-result.ts';
import { endpointFailure } from './endpoint-error.ts';
import type { EndpointOffers } from './endpoint-offers.ts';

/** Dependencies of the calls. */
export interface EndpointToolsDeps {
  offers: ServerOffers;
  toolCall: ToolCall;
  log: Log;
}

/** The tools of an endpoint. */
export interface EndpointTools extends Pick<HubTools, 'isKnown' | 'call'> {
  /** The input schema of a tool that the caller may call. */
  inputSchema(caller: Caller, name: string): JsonObject | undefined;
}

/** Creates the calls of an endpoint. */
export function createEndpointTools(
  { offers, toolCall, log }: EndpointToolsDeps,
  endpoint: EndpointOffers,
): EndpointTools {
  const call: HubTools['call'] = async (params, { caller, protocolVersion, ...options }): Promise<CallToolResult> => {
    const address = endpoint.toolAddress(params.name);
    if (address === undefined) throw notFound('tool');
    const args = jsonObjectSchema.safeParse(params.arguments ?? {});
    if (!args.success) return endpointFailure(invalidArguments(args.error), log);
    const request = { ...address, arguments: args.data, timeoutMs: undefined, searchId: undefined };
    try {
      const { result } = await toolCall.call(caller, request, options);
      return passedThrough(endpoint.toolResult(address.serverId, result), protocolVersion);
    } catch (error) {
      return endpointFailure(error, log, Object.keys(options.client?.retry ?? {}).length > 0);
    }
  };
  const find = (caller: Caller, name: string) => {
    const address = endpoint.toolAddress(name);
    return address && offers.tool(caller, address);
  };
  return {
    call,
    isKnown: (caller, name) => find(caller, name) !== undefined,
    inputSchema: (caller, name) => find(caller, name)?.inputSchema,
  };
}
