/** Names of tools and prompts, and URIs of resources, that name their server, too. Pure. */
import { hash } from 'node:crypto';
import type { JsonObject } from '../../shapes/json.ts';
import { offerUsage, type SearchAnswer } from '../../shapes/search-answer.ts';
import type { ToolResult } from '../../shapes/tool.ts';

/** The longest name that every client and model accepts, in characters. */
export const qualifiedNameLengthMax = 64;

const digestLength = 8;

/**
 * The name `server__name`, of letters, digits, `_` and `-`. Where that does not fit, or could be read in two ways, other
 * characters become `_`, and the end is a digest of both names: the name is the same as long as these are.
 */
export function qualifiedName(serverId: string, name: string): string {
  const joined = `${serverId}__${name}`;
  return isPlain(serverId, joined) ? joined : digestedName(serverId, name, joined);
}

/** Whether {@link qualifiedName} ends with a digest. */
export function hasDigest(serverId: string, name: string): boolean {
  return !isPlain(serverId, `${serverId}__${name}`);
}

function isPlain(serverId: string, joined: string): boolean {
  const isUnique = !serverId.includes('__') && !serverId.endsWith('_');
  return isUnique && joined.length <= qualifiedNameLengthMax && /^[a-zA-Z0-9_-]+$/.test(joined);
}

function digestedName(serverId: string, name: string, joined: string): string {
  const digest = hash('sha256', JSON.stringify([serverId, name]), 'hex').slice(0, digestLength);
  const readable = joined.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, qualifiedNameLengthMax - digestLength - 1);
  return `${readable}_${digest}`;
}

const scheme = 'hestia://';

/** The template of all {@link qualifiedUri}. */
export const serverResources = `${scheme}{server}/{+uri}`;

/** The URI under which a resource of a server, or a template of URIs, is found: `hestia://<server>/<URI>`. */
export function qualifiedUri(serverId: string, uri: string): string {
  return `${scheme}${encodeURIComponent(serverId)}/${uri}`;
}

/** The server and the URI of a {@link qualifiedUri}; undefined for any other. */
export function resourceOf(uri: string): { serverId: string; uri: string } | undefined {
  const at = uri.indexOf('/', scheme.length);
  if (!uri.startsWith(scheme) || at === -1) return undefined;
  try {
    return { serverId: decodeURIComponent(uri.slice(scheme.length, at)), uri: uri.slice(at + 1) };
  } catch {
    return undefined;
  }
}

/** A result of a tool whose links to resources of its server can be read where those of several servers are offered. */
export function withReadableLinks(serverId: string, result: ToolResult): ToolResult {
  if (!result.content.some(isLink)) return result;
  const content = result.content.map((block) =>
    isLink(block) && typeof block.uri === 'string' ? { ...block, uri: qualifiedUri(serverId, block.uri) } : block,
  );
  return { ...result, content };
}

/** The answer of a search whose prompts and resources are named as they are where those of several servers are offered. */
export function withQualifiedUsage(answer: SearchAnswer): SearchAnswer {
  const results = answer.results.map((result) => {
    const { serverId, toolName, source, uri, uriTemplate } = result;
    if (source === 'prompt') {
      return { ...result, usage: offerUsage({ kind: 'prompts', key: qualifiedName(serverId, toolName) }) };
    }
    if (uri !== undefined)
      return { ...result, usage: offerUsage({ kind: 'resources', key: qualifiedUri(serverId, uri) }) };
    if (uriTemplate === undefined) return result;
    return { ...result, usage: offerUsage({ kind: 'templates', key: qualifiedUri(serverId, uriTemplate) }) };
  });
  return { ...answer, results };
}

function isLink({ type }: JsonObject): boolean {
  return type === 'resource_link';
}
