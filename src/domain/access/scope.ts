/**
 * The scope of an API key: the servers and tools that it may use. What is outside of it does not exist for the key.
 * A glob matches the complete name of a server or tool, in linear time. The hub's own tools are in every scope, but for those
 * that change state where the key may only read.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { compileGlob } from '../../flow/glob.ts';
import type { ToolIndex } from '../../search-index/tool-index.ts';
import type { Caller, KeyScope } from '../../shapes/access.ts';
import { hubServerId } from '../../shapes/server.ts';
import { skillToolName } from '../../shapes/skill.ts';
import type { IndexedTool } from '../../shapes/tool.ts';

/** The server and the name of a tool. */
export interface ToolAddress {
  serverId: string;
  toolName: string;
}

/** Whether the scope has the tool. */
export function isInScope(
  scope: KeyScope | undefined,
  { source, definition, inactiveSkill, offer }: Omit<IndexedTool, 'namespace'>,
): boolean {
  if (scope === undefined) return true;
  // Prompts and resources are only read. Resources are in a scope by URI.
  if (offer !== undefined) return isNameInScope(scope, { serverId: definition.serverId, toolName: offer.key });
  const readOnlyHint = definition.annotations?.readOnlyHint;
  // `call_mcp_tool` says neither: the tool that it calls decides.
  if (source === 'hub') return scope.readOnly !== true || readOnlyHint !== false;
  if (!isNameInScope(scope, definition)) return false;
  // The call of an inactive skill activates it, which is a change.
  return scope.readOnly !== true || (readOnlyHint === true && inactiveSkill === undefined);
}

/** The tool as the caller sees it; undefined where it is absent or outside of the scope of the caller's key. */
export function findInScope(
  toolIndex: ToolIndex,
  { namespace, scope }: Caller,
  { serverId, toolName }: ToolAddress,
): IndexedTool | undefined {
  const tool = toolIndex.find({ serverId, toolName, namespace });
  return tool !== undefined && isInScope(scope, tool) ? tool : undefined;
}

/** Whether the globs of the scope match the tool. Whether the tool only reads is not considered. */
export function isNameInScope(scope: KeyScope | undefined, { serverId, toolName }: ToolAddress): boolean {
  return scope === undefined || compiled(scope).hasTool({ serverId, toolName });
}

/** Whether the scope may have tools of the server. */
export function isServerInScope(scope: KeyScope | undefined, serverId: string): boolean {
  return scope === undefined || compiled(scope).hasServer(serverId);
}

/** Whether the scope has the tool of a skill, and thereby the skill. */
export function isSkillInScope(scope: KeyScope | undefined, skillName: string): boolean {
  return scope === undefined || isNameInScope(scope, { serverId: hubServerId, toolName: skillToolName(skillName) });
}

/** Whether a tool that the caller does not find may exist outside of the scope. It does not depend on the tool's existence. */
export function mayBeOutOfScope(scope: KeyScope | undefined, address: ToolAddress): boolean {
  return scope !== undefined && (scope.readOnly === true || !isNameInScope(scope, address));
}

interface CompiledScope {
  hasServer(serverId: string): boolean;
  hasTool(address: ToolAddress): boolean;
}

/** The most names for which a scope remembers whether it has them. */
const namesMax = 10_000;

const compiledScopes = new WeakMap<KeyScope, CompiledScope>();

function compiled(scope: KeyScope): CompiledScope {
  const found = compiledScopes.get(scope) ?? compileScope(scope);
  compiledScopes.set(scope, found);
  return found;
}

function compileScope({ servers, tools }: KeyScope): CompiledScope {
  const serverGlobs = servers?.map(compileGlob);
  // The name of a server may have slashes, the name of a tool has none.
  const toolGlobs = tools?.map((glob) => {
    const at = glob.lastIndexOf('/');
    return { server: compileGlob(glob.slice(0, at)), tool: compileGlob(glob.slice(at + 1)) };
  });
  const isServer = (serverId: string) => serverGlobs?.some((matches) => matches(serverId)) ?? true;
  return {
    hasServer: remembered(
      (serverId) => isServer(serverId) && (toolGlobs?.some(({ server }) => server(serverId)) ?? true),
      (serverId: string) => serverId,
    ),
    hasTool: remembered(
      ({ serverId, toolName }) =>
        isServer(serverId) && (toolGlobs?.some(({ server, tool }) => server(serverId) && tool(toolName)) ?? true),
      ({ serverId, toolName }: ToolAddress) => JSON.stringify([serverId, toolName]),
    ),
  };
}

function remembered<Name>(decide: (name: Name) => boolean, keyOf: (name: Name) => string): (name: Name) => boolean {
  const decisions = new BoundedMap<string, boolean>(namesMax);
  return (name) => {
    const key = keyOf(name);
    const known = decisions.get(key);
    if (known !== undefined) return known;
    const decision = decide(name);
    decisions.set(key, decision);
    return decision;
  };
}
