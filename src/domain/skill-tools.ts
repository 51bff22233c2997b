/**
 * The tools of active skills: the registry, which refuses taken names, and the result of a call. The registry is in
 * memory, separate for each namespace, and rebuilt from the stored activations at start.
 */

import type { ToolIndex } from '../search-index/tool-index.ts';
import { hubServerId } from '../shapes/server.ts';
import { type Activation, type SkillDocument, type SkillToolArguments, skillLimits } from '../shapes/skill.ts';
import { truncated } from '../shapes/text.ts';
import type { IndexedTool, ToolDefinition, ToolResult } from '../shapes/tool.ts';
import { findSkillFile, prepareInstructions } from './skill/invocation.ts';

/** The tool of an active skill. */
export interface SkillTool {
  activation: Activation;
  document: SkillDocument;
  definition: ToolDefinition;
}

/** The registry of skill tools. */
export interface SkillTools {
  /** Adds the tool; `name_taken` where another skill of the namespace has a tool of this name. */
  register(activation: Activation, document: SkillDocument): 'registered' | 'name_taken';
  /** Removes the tool; false where this activation has none. */
  unregister(activation: Activation): boolean;
  /** The tools of a namespace, sorted by name; an expired activation has none. */
  list(namespace: string): SkillTool[];
  find(namespace: string, toolName: string): SkillTool | undefined;
  /** Calls `listener` with the namespace of each change, after it. @returns a function that removes the listener */
  onChange(listener: (namespace: string) => void): () => void;
}

/** Dependencies of the registry. */
export interface SkillToolsDeps {
  toolIndex: ToolIndex;
  now: () => number;
}

/** Creates an empty registry. */
export function createSkillTools({ toolIndex, now }: SkillToolsDeps): SkillTools {
  const tools = new Map<string, SkillTool>();
  const listeners = new Set<(namespace: string) => void>();
  const key = (namespace: string, toolName: string) => `${namespace}/${toolName}`;
  const changed = ({ namespace }: Activation) => {
    for (const listener of listeners) listener(namespace);
  };
  const isLive = livenessCheck(now);

  return {
    register: (activation, document) => {
      const holder = tools.get(key(activation.namespace, activation.toolName));
      const isOwn = holder?.activation.skillId === activation.skillId;
      // Names of other servers' tools do not count: no server blocks a skill, and a refusal would reveal hidden tools. None of
      // the hub's own tools has a name that begins with `skill_`.
      if (!isOwn && holder !== undefined) return 'name_taken';
      const tool = { activation, document, definition: definitionOf(activation, document) };
      tools.set(key(activation.namespace, activation.toolName), tool);
      toolIndex.put(indexed(tool));
      changed(activation);
      return 'registered';
    },
    unregister: (activation) => {
      const at = key(activation.namespace, activation.toolName);
      const holder = tools.get(at);
      if (holder === undefined || holder.activation.activationId !== activation.activationId) return false;
      tools.delete(at);
      toolIndex.remove({ serverId: hubServerId, toolName: activation.toolName, namespace: activation.namespace });
      changed(activation);
      return true;
    },
    list: (namespace) =>
      [...tools.values()]
        .filter((tool) => tool.activation.namespace === namespace && isLive(tool))
        .sort((left, right) => (left.activation.toolName < right.activation.toolName ? -1 : 1)),
    find: (namespace, toolName) => {
      const tool = tools.get(key(namespace, toolName));
      return tool !== undefined && isLive(tool) ? tool : undefined;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Checks whether the activation of a tool has not expired. One that was seen to be expired stays so if the clock goes back. */
function livenessCheck(now: () => number): (tool: SkillTool) => boolean {
  const ended = new WeakSet<SkillTool>();
  return (tool) => {
    const { expiresAt } = tool.activation;
    if (expiresAt !== undefined && expiresAt <= now()) ended.add(tool);
    return !ended.has(tool);
  };
}

/**
 * The result of calling a skill's tool: without `file` the instructions, the arguments and the list of files; with `file`
 * that file alone. Undefined where the skill has no such file.
 */
export function skillToolResult({ activation, document }: SkillTool, args: SkillToolArguments): ToolResult | undefined {
  if (args.file !== undefined) return skillFileResult(document, args.file, args.from);
  const { text: instructions, substituted } = prepareInstructions(document, args.arguments);
  const files = document.files.map((file) => ({
    path: file.path,
    bytes: Buffer.byteLength(file.content, file.encoding === 'base64' ? 'base64' : 'utf8'),
  }));
  const text = [
    instructions.trim(),
    args.arguments === undefined || substituted ? '' : `ARGUMENTS: ${args.arguments}`,
    files.length === 0
      ? ''
      : `FILES of this skill (call this tool again with \`file\` to read one):\n${files.map(({ path, bytes }) => `- ${path} (${bytes} bytes)`).join('\n')}`,
  ];
  return {
    content: [{ type: 'text', text: text.filter((part) => part !== '').join('\n\n') }],
    structuredContent: {
      skill_name: activation.skillName,
      version: activation.version,
      instructions,
      ...(args.arguments !== undefined && { arguments: args.arguments }),
      files,
    },
    isError: false,
  };
}

function skillFileResult(document: SkillDocument, path: string, from: string | undefined): ToolResult | undefined {
  const file = findSkillFile(document, path, from);
  if (file === undefined) return undefined;
  if (file.encoding === 'utf-8') return { content: [{ type: 'text', text: file.content }], isError: false };
  const resource = {
    uri: `skill://${document.frontmatter.name}/${file.path}`,
    mimeType: 'application/octet-stream',
    blob: file.content,
  };
  return { content: [{ type: 'resource', resource }], isError: false };
}

function definitionOf({ toolName }: Activation, { frontmatter, files }: SkillDocument): ToolDefinition {
  const { name, description } = frontmatter;
  return skillToolDefinition({ toolName, name, description, filePaths: files.map(({ path }) => path) });
}

/** The definition of a skill's tool. `filePaths` are the files of the skill that the tool returns. */
export function skillToolDefinition({
  toolName,
  name,
  description,
  filePaths,
}: {
  toolName: string;
  name: string;
  description: string;
  filePaths: string[];
}): ToolDefinition {
  return {
    serverId: hubServerId,
    toolName,
    title: name,
    description: truncated(description, skillLimits.descriptionLengthMax),
    inputSchema: {
      type: 'object',
      properties: {
        arguments: { type: 'string', description: 'What to apply the skill to, in your own words.', maxLength: 65_536 },
        ...(filePaths.length > 0 && {
          file: {
            type: 'string',
            description: 'Path of one of the skill’s files, or a link to it, to read it instead of the instructions.',
            maxLength: 1024,
          },
          from: {
            type: 'string',
            description: 'The file that holds the link, if it is not SKILL.md: `file` is relative to its folder.',
            maxLength: 255,
          },
        }),
      },
      additionalProperties: false,
    },
    outputSchema: undefined,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  };
}

function indexed({ activation, definition }: SkillTool): IndexedTool {
  return { source: 'skill', definition, namespace: activation.namespace };
}
