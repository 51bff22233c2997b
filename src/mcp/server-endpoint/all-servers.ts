/**
 * The endpoint of all servers, which offers everything that a key may use. Tools and prompts are named `server__name`, and the
 * URIs of resources begin with their server.
 */
import type { ServerOffers } from '../../domain/server-offers.ts';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import { HestiaError, notFound } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { EndpointFace, EndpointOffers, OfferListKind, TargetedRequest } from './endpoint-offers.ts';
import { hasDigest, qualifiedName, qualifiedUri, resourceOf } from './qualified-name.ts';
import { eventOfChange } from './single-server.ts';

/** The name of the endpoint in its path, `/mcp/all`. */
export const allServersName = 'all';

const instructions =
  'This endpoint has the tools of many MCP servers, named server__tool. Prompts are named alike; the URI of a resource begins with hestia://<server>/.';

/** Creates what the endpoint offers, under the hub's own name. It follows changes of tools as long as the hub runs. */
export function createAllServers(offers: ServerOffers, version: string): EndpointOffers {
  const face: EndpointFace = {
    info: { name: 'hestia', version },
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
    },
    instructions,
  };
  const addresses = toolAddresses(offers);
  return {
    face: async () => face,
    tools: async (caller) =>
      offers.tools(caller).flatMap((definition) => {
        const { serverId, toolName } = definition;
        const name = qualifiedName(serverId, toolName);
        const found = addresses().get(name);
        return found?.serverId === serverId && found.toolName === toolName ? [{ name, definition }] : [];
      }),
    toolAddress: (name) => addresses().get(name),
    toolResult: (serverId, result) => ({
      ...result,
      content: result.content.map((block) => qualifiedBlock(serverId, block)),
    }),
    list: (caller, kind, signal) => listAll(offers, caller, { kind, signal }),
    request: async (caller, { method, params }, options) => {
      const { serverId, params: own } = await ownParams(offers, caller, params, options.signal);
      return qualifiedResult(serverId, await offers.request(caller, { serverId, method, params: own }, options));
    },
    subscribe: async (caller, uri) => {
      const resource = resourceOf(uri);
      if (resource === undefined) throw notFound('resource');
      return offers.subscribe(caller, resource);
    },
    serverOf: async (caller, request, signal) => {
      const serverId = await serverIdOf(offers, addresses(), { caller, request, signal });
      return serverId === undefined ? undefined : offers.server(caller, serverId);
    },
    eventOf: (change) => {
      const event = eventOfChange(change);
      return event.kind === 'resource_updated' ? { ...event, uri: qualifiedUri(change.serverId, event.uri) } : event;
    },
  };
}

type ToolAddress = { serverId: string; toolName: string };

/** The tools by their names. Where a tool has the name that another one gets by a digest, it is left out. */
function toolAddresses(offers: ServerOffers): () => ReadonlyMap<string, ToolAddress> {
  let addresses: Map<string, ToolAddress> | undefined;
  offers.onChange(({ kind }) => {
    if (kind === 'tools') addresses = undefined;
  });
  return () => {
    if (addresses !== undefined) return addresses;
    const tools = offers.tools(hubCaller).map(({ serverId, toolName }) => ({ serverId, toolName }));
    const digested = ({ serverId, toolName }: ToolAddress) => hasDigest(serverId, toolName);
    const ordered = [...tools.filter((tool) => !digested(tool)), ...tools.filter(digested)];
    addresses = new Map(ordered.map((tool) => [qualifiedName(tool.serverId, tool.toolName), tool]));
    return addresses;
  };
}

/** The entries of all servers. Those of a server that does not answer are left out. */
async function listAll(
  offers: ServerOffers,
  caller: Caller,
  { kind, signal }: { kind: OfferListKind; signal: AbortSignal },
): Promise<JsonObject[]> {
  const lists = offers.serverIds(caller).map(async (serverId) => {
    try {
      const entries = await offers.list(caller, { serverId, kind, signal });
      return entries.map((entry) => qualifiedEntry(serverId, kind, entry));
    } catch (error) {
      if (error instanceof HestiaError) return [];
      throw error;
    }
  });
  return (await Promise.all(lists)).flat();
}

function qualifiedEntry(serverId: string, kind: OfferListKind, entry: JsonObject): JsonObject {
  switch (kind) {
    case 'prompts':
      return { ...entry, name: qualifiedName(serverId, String(entry.name)) };
    case 'resources':
      return { ...entry, uri: qualifiedUri(serverId, String(entry.uri)) };
    case 'templates':
      return { ...entry, uriTemplate: qualifiedUri(serverId, String(entry.uriTemplate)) };
    default:
      return kind satisfies never;
  }
}

/** The server that a request is for in which it may ask the client for input; undefined for other requests, and an unknown target. */
async function serverIdOf(
  offers: ServerOffers,
  tools: ReadonlyMap<string, ToolAddress>,
  { caller, request, signal }: { caller: Caller; request: TargetedRequest; signal: AbortSignal },
): Promise<string | undefined> {
  const { method, params } = request;
  if (method === 'tools/call') {
    const address = tools.get(String(params.name));
    return address && offers.tool(caller, address)?.serverId;
  }
  if (method !== 'prompts/get' && method !== 'resources/read') return undefined;
  const found = await ownParams(offers, caller, params, signal).catch(() => undefined);
  return offers.serverIds(caller).find((serverId) => serverId === found?.serverId);
}

/** The server that a request is for, and its parameters as that server knows them. @throws HestiaError NOT_FOUND */
async function ownParams(
  offers: ServerOffers,
  caller: Caller,
  params: JsonObject,
  signal: AbortSignal,
): Promise<{ serverId: string; params: JsonObject }> {
  if (isJsonObject(params.ref)) {
    const { serverId, params: ref } = await ownParams(offers, caller, params.ref, signal);
    return { serverId, params: { ...params, ref } };
  }
  if (typeof params.uri === 'string') {
    const resource = resourceOf(params.uri);
    if (resource === undefined) throw notFound('resource');
    return { serverId: resource.serverId, params: { ...params, uri: resource.uri } };
  }
  const prompt = await findPrompt(offers, caller, { name: String(params.name), signal });
  if (prompt === undefined) throw notFound('prompt');
  return { serverId: prompt.serverId, params: { ...params, name: prompt.name } };
}

async function findPrompt(
  offers: ServerOffers,
  caller: Caller,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<{ serverId: string; name: string } | undefined> {
  for (const serverId of offers.serverIds(caller)) {
    const prompts = await offers.list(caller, { serverId, kind: 'prompts', signal }).catch(() => []);
    const prompt = prompts.find((entry) => qualifiedName(serverId, String(entry.name)) === name);
    if (prompt !== undefined) return { serverId, name: String(prompt.name) };
  }
  return undefined;
}

/** A result of a prompt or resource, whose URIs lead to this endpoint. */
function qualifiedResult(serverId: string, result: JsonObject): JsonObject {
  const { contents, messages } = result;
  const asLink = (content: unknown) => (isJsonObject(content) ? withUri(serverId, content) : content);
  const asMessage = (message: unknown) =>
    isJsonObject(message) && isJsonObject(message.content)
      ? { ...message, content: qualifiedBlock(serverId, message.content) }
      : message;
  return {
    ...result,
    ...(Array.isArray(contents) && { contents: contents.map(asLink) }),
    ...(Array.isArray(messages) && { messages: messages.map(asMessage) }),
  };
}

/** A content block, whose link or resource has a URI of this endpoint. */
function qualifiedBlock(serverId: string, block: JsonObject): JsonObject {
  if (block.type === 'resource_link') return withUri(serverId, block);
  if (block.type !== 'resource' || !isJsonObject(block.resource)) return block;
  return { ...block, resource: withUri(serverId, block.resource) };
}

function withUri(serverId: string, value: JsonObject): JsonObject {
  return typeof value.uri === 'string' ? { ...value, uri: qualifiedUri(serverId, value.uri) } : value;
}
