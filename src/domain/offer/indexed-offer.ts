/** Prompts, resources and templates in the form of the search index. Pure. */
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { truncated } from '../../shapes/text.ts';
import type { IndexedTool } from '../../shapes/tool.ts';
import { type OfferKind, offerKey } from '../../upstream/offers/offer-list.ts';

/** The longest name of a resource that is indexed and recorded, in UTF-16 units. Its URI identifies it. */
const nameLengthMax = 256;

/** An entry of a list, as its server sent it, in the form of the index. The arguments of a prompt become a schema. */
export function indexedOffer(serverId: string, kind: OfferKind, entry: JsonObject): IndexedTool {
  const { mimeType } = entry;
  return {
    source: kind === 'prompts' ? 'prompt' : 'resource',
    namespace: undefined,
    definition: {
      serverId,
      toolName: truncated(textOf(entry.name), nameLengthMax),
      title: typeof entry.title === 'string' ? entry.title : undefined,
      description: textOf(entry.description),
      inputSchema: kind === 'prompts' ? argumentsSchema(entry.arguments) : {},
    },
    offer: { kind, key: offerKey(kind, entry), mimeType: typeof mimeType === 'string' ? mimeType : undefined },
  };
}

function argumentsSchema(listed: unknown): JsonObject {
  const named = (Array.isArray(listed) ? listed : [])
    .filter(isJsonObject)
    .filter(({ name }) => typeof name === 'string');
  const properties = Object.fromEntries(
    named.map(({ name, description }) => [textOf(name), { type: 'string', description: textOf(description) }]),
  );
  const required = named.filter((argument) => argument.required === true).map(({ name }) => textOf(name));
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
