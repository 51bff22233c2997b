/** Tools as entries of a vector store: the text that is embedded, and the labels to filter by. */
import { hash } from 'node:crypto';
import type { IndexedTool } from '../../shapes/tool.ts';
import type { ToolIndexQuery } from '../tool-index.ts';
import type { VectorQuery } from './store.ts';
import type { VectorItem } from './writer.ts';

/** The longest description that is embedded, in UTF-16 units; about as much as models read. */
const descriptionLengthMax = 2_000;

/** The label of tools that all namespaces see. No namespace has this name. */
const everyNamespace = '*';

/** A tool as an item of the vector writer. */
export function toolItem({ definition, source, namespace }: IndexedTool): VectorItem {
  const text = toolVectorText(definition);
  const labels = { source, server: definition.serverId, namespace: namespace ?? everyNamespace };
  return { text, labels, digest: hash('sha256', JSON.stringify([text, labels]), 'base64url') };
}

/** The filters of a query that the store applies. The caller applies the others to the matches. */
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
