/**
 * What a server says about itself when a session opens, in the form that the MCP library accepts. Servers send null for what
 * is absent and true for a capability, or leave out their name.
 */
import { specTypeSchemas } from '@modelcontextprotocol/client';
import { prunedValue } from '../../flow/pruned-value.ts';
import { isDeeperThan, isJsonObject, type JsonObject } from '../../shapes/json.ts';

/** Whether a result is that of `initialize` or `server/discover`. A tool result has content. */
export function isIntroduction({
  protocolVersion,
  supportedVersions,
  content,
  structuredContent,
}: JsonObject): boolean {
  const hasVersion = protocolVersion !== undefined || supportedVersions !== undefined;
  return hasVersion && content === undefined && structuredContent === undefined;
}

/** Levels of nesting of a member. The schemas of the library are recursive, so that deeper ones could overflow the stack. */
const levelsMax = 32;

/** The result with capabilities and a name, without members that the library refuses. A result beyond repair is returned unchanged. */
export function tolerantIntroduction(result: JsonObject): JsonObject {
  const { capabilities, ...rest } = result;
  const { serverInfo, ...others } = withoutDeepMembers(rest);
  const isInitialization = result.protocolVersion !== undefined;
  const completed = {
    ...others,
    capabilities: declaredCapabilities(capabilities),
    ...((isInitialization || serverInfo !== undefined) && { serverInfo: namedServer(serverInfo) }),
  };
  const schema = isInitialization ? specTypeSchemas.InitializeResult : specTypeSchemas.DiscoverResult;
  return prunedValue<JsonObject>(completed, schema) ?? result;
}

/** A capability that is true or a list has no options; one that is false or null is absent. A server that declares none at all is asked for tools. */
function declaredCapabilities(capabilities: unknown): JsonObject {
  if (!isJsonObject(capabilities)) return { tools: {} };
  const declared = Object.entries(withoutDeepMembers(capabilities)).flatMap(
    ([name, options]): [string, JsonObject][] => {
      if (isJsonObject(options)) return [[name, options]];
      return options === true || Array.isArray(options) ? [[name, {}]] : [];
    },
  );
  return Object.fromEntries(declared);
}

function withoutDeepMembers(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => !isDeeperThan(levelsMax, member)));
}

function namedServer(serverInfo: unknown): JsonObject {
  const { name, version, ...rest }: JsonObject = isJsonObject(serverInfo) ? serverInfo : {};
  return {
    ...rest,
    name: typeof name === 'string' ? name : 'unknown',
    version: typeof version === 'string' || typeof version === 'number' ? String(version) : 'unknown',
  };
}
