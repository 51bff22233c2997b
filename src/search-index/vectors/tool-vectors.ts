/** Tools as entries of a vector store: which text stands for a tool, and by what its entry is filtered. */
import { hash } from 'node:crypto';
import type { IndexedTool } from '../../shapes/tool.ts';
import type { ToolIndexQuery } from '../tool-index.ts';
import type { VectorQuery } from './store.ts';
import type { FeedItem } from './write-behind.ts';

/** Longest description that is embedded, in UTF-16 units; models read about as much. */
const descriptionLengthMax = 2_000;

/** Stands for the namespace of a tool that all see; no namespace is called so. */
const everyNamespace = '*';

/** A tool as the feed of its store takes it. */
export function toolItem({ definition, source, namespace }: IndexedTool): FeedItem {
  const text = toolVectorText(definition);
  const labels = { source, server: definition.serverId, namespace: namespace ?? everyNamespace };
  return { text, labels, digest: hash('sha256', JSON.stringify([text, labels]), 'base64url') };
}

/** What of a query its store can filter by; the rest is left to who reads the answer. */
export function toolFilter({ namespace, source, serverId }: ToolIndexQuery): VectorQuery['where'] {
  return {
    namespace: [everyNamespace, namespace],
    ...(source !== undefined && { source: [source] }),
    ...(serverId !== undefined && { server: [serverId] }),
  };
}

function toolVectorText({ toolName, title, description }: IndexedTool['definition']): string {
  const name = (title ?? toolName)
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/[_\-./]+/g, ' ')
    .trim();
  return `${name}: ${description.slice(0, descriptionLengthMax)}`;
}
