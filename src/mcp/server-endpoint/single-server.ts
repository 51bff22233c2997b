/** The endpoint of one upstream server, which offers what the server offers, under the same names. */
import type { Implementation, ServerCapabilities, ServerEvent } from '@modelcontextprotocol/server';
import type { OfferingServer, ServerOfferChange, ServerOffers } from '../../domain/server-offers.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { EndpointFace, EndpointOffers } from './endpoint-offers.ts';

/** Creates what the endpoint of a server offers. */
export function createSingleServer(offers: ServerOffers, serverId: string): EndpointOffers {
  const faces = new WeakMap<OfferingServer, EndpointFace>();
  const faceOf = (server: OfferingServer) => {
    const { capabilities, info, instructions } = server;
    return { info: implementationOf(serverId, info), capabilities: passedCapabilities(capabilities), instructions };
  };
  return {
    face: async (caller) => {
      const server = await offers.server(caller, serverId);
      const face = faces.get(server) ?? faceOf(server);
      faces.set(server, face);
      return face;
    },
    tools: async (caller, via) => {
      const definitions = [...offers.tools(caller, serverId), ...(await offers.extraTools(caller, via))];
      return definitions.map((definition) => ({ name: definition.toolName, definition }));
    },
    toolAddress: (toolName) => ({ serverId, toolName }),
    toolResult: (_serverId, result) => result,
    list: (caller, kind, signal) => offers.list(caller, { serverId, kind, signal }),
    request: (caller, request, options) => offers.request(caller, { serverId, ...request }, options),
    subscribe: (caller, uri, via) => offers.subscribe(caller, { serverId, uri }, via),
    serverOf: (caller) => offers.server(caller, serverId),
    eventOf: (change) => (change.serverId === serverId ? eventOfChange(change) : undefined),
  };
}

/** The notification that reports a change of a server under its own names. */
export function eventOfChange(change: ServerOfferChange): ServerEvent {
  switch (change.kind) {
    case 'tools':
      return { kind: 'tools_list_changed' };
    case 'prompts':
      return { kind: 'prompts_list_changed' };
    case 'resources':
      return { kind: 'resources_list_changed' };
    case 'updated':
      return { kind: 'resource_updated', uri: change.uri };
    default:
      return change satisfies never;
  }
}

/** The capabilities of a server that the hub passes on. The hub itself reports changes of lists. */
export function passedCapabilities({
  tools,
  prompts,
  resources,
  completions,
  logging,
}: JsonObject): ServerCapabilities {
  return {
    ...(isJsonObject(tools) && { tools: { listChanged: true } }),
    ...(isJsonObject(prompts) && { prompts: { listChanged: true } }),
    ...(isJsonObject(resources) && { resources: { listChanged: true, subscribe: resources.subscribe === true } }),
    ...(isJsonObject(completions) && { completions: {} }),
    ...(isJsonObject(logging) && { logging: {} }),
  };
}

function implementationOf(serverId: string, info: JsonObject | undefined): Implementation {
  const { name, version, title } = info ?? {};
  return {
    name: typeof name === 'string' ? name : serverId,
    version: typeof version === 'string' ? version : '',
    ...(typeof title === 'string' && { title }),
  };
}
