/**
 * The Skills extension of MCP (SEP-2640) at the endpoint: lists, describes and reads skills. The methods `skills/list`,
 * `skills/get`, `resources/read` and `resources/directory/read` are those of the SDK's extension, over the hub's use case.
 * Errors are translated as those of tools.
 */
import type { Resource } from '@modelcontextprotocol/server';
import {
  DIRECTORY_MIME_TYPE,
  type SkillReadResult,
  type SkillSource,
  SkillsExtension,
} from '@modelcontextprotocol/server/ext/skills';
import type { SkillChild, SkillEntry, SkillPage, SkillResources } from '../domain/skill-resources.ts';
import type { Caller } from '../shapes/access.ts';
import type { Log } from '../telemetry/log.ts';
import { protocolError } from './tool-result.ts';

/** Dependencies of the extension. */
export interface SkillsExtensionDeps {
  skillResources: SkillResources;
  log: Log;
}

/** How long a client may keep an answer, in milliseconds, unless it is notified of a change. */
const ttlMs = 10_000;

/** Skills in `resources/list` at most. */
const manifestsMax = 200;

/** Creates the extension of one caller, to be attached to the server of a request. */
export function createSkillsExtension({ skillResources, log }: SkillsExtensionDeps, caller: Caller): SkillsExtension {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw protocolError(error, log);
    }
  };
  const source: SkillSource = {
    list: async ({ cursor }) => {
      const { items: skills, ...next } = await translated(skillResources.list(caller, cursor));
      return { skills, ...next };
    },
    get: (uri) => translated(skillResources.find(caller, uri)),
    read: async (uri, ctx) => {
      const bytes = await translated(skillResources.read(caller, uri, ctx.mcpReq.signal));
      return bytes && readResult(uri, bytes);
    },
    listResources: () => translated(listManifests(skillResources, caller)),
    readDirectory: async (uri, { cursor }) => {
      const page = await translated(skillResources.children(caller, uri, cursor));
      return page && directoryPage(page);
    },
  };
  // A warning has text of the skill, which stays out of the log.
  const onWarning = () => log.warn('The Skills extension left out an entry that is not valid');
  return new SkillsExtension({ source, cacheHint: { ttlMs, cacheScope: 'private' }, onWarning });
}

/** The SKILL.md files in `resources/list`, which has no pages: the first ones of `skills/list`, which has them all. */
async function listManifests(skillResources: SkillResources, caller: Caller): Promise<Resource[]> {
  const manifests: Resource[] = [];
  let cursor: string | undefined;
  do {
    const page = await skillResources.list(caller, cursor);
    manifests.push(...page.items.map(manifestResource));
    cursor = page.nextCursor;
  } while (cursor !== undefined && manifests.length < manifestsMax);
  return manifests.slice(0, manifestsMax);
}

function manifestResource({ uri, frontmatter, resources }: SkillEntry): Resource {
  const { name, description } = frontmatter;
  const size = resources.find((file) => file.uri === uri)?.size;
  return { uri, name, description, ...mimeTypeOf(uri), ...(size !== undefined && { size }) };
}

/** Text where the bytes are UTF-8, so that a client gets exactly these bytes from it. */
function readResult(uri: string, bytes: Uint8Array): SkillReadResult {
  const mimeType = mimeTypeOf(uri);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), ...mimeType };
  } catch {
    return { bytes, ...mimeType };
  }
}

function directoryPage({ items, ...next }: SkillPage<SkillChild>) {
  const resources = items.map(({ uri, name, size }) =>
    size === undefined ? { uri, name, mimeType: DIRECTORY_MIME_TYPE } : { uri, name, size, ...mimeTypeOf(uri) },
  );
  return { resources, ...next };
}

/** The media type of Markdown. Of other files the name does not tell reliably what they are. */
function mimeTypeOf(uri: string): { mimeType?: string } {
  return /\.(?:md|markdown)$/i.test(uri) ? { mimeType: 'text/markdown' } : {};
}
