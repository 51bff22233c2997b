/** Requests to upstream servers other than tool calls: their targets, and how records name them. Pure. */
import type { EventFields, SecurityEvent } from '../../shapes/event.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { printable, truncated } from '../../shapes/text.ts';

/** The methods of the requests. */
export type OfferMethod = 'prompts/get' | 'resources/read' | 'completion/complete';

/** A request. Its parameters are those of MCP, unchecked but for what names the target. */
export interface OfferRequest {
  serverId: string;
  method: OfferMethod;
  params: JsonObject;
}

/** What a request is about: a prompt by its name, or a resource or template by its URI. */
export interface OfferTarget {
  kind: 'prompts' | 'resources' | 'templates';
  key: string;
}

/** The target of a request; undefined if its parameters name none. */
export function targetOf(method: OfferMethod, params: JsonObject): OfferTarget | undefined {
  switch (method) {
    case 'prompts/get':
      return typeof params.name === 'string' ? { kind: 'prompts', key: params.name } : undefined;
    case 'resources/read':
      return typeof params.uri === 'string' ? { kind: 'resources', key: params.uri } : undefined;
    case 'completion/complete': {
      const { ref } = params;
      if (!isJsonObject(ref)) return undefined;
      if (typeof ref.name === 'string') return { kind: 'prompts', key: ref.name };
      return typeof ref.uri === 'string' ? { kind: 'templates', key: ref.uri } : undefined;
    }
    default:
      return method satisfies never;
  }
}

/** The event that records a request. */
export const offerEvents = {
  'prompts/get': 'PROMPT_READ',
  'resources/read': 'RESOURCE_READ',
  'completion/complete': 'COMPLETION_READ',
} as const satisfies Record<OfferMethod, SecurityEvent>;

const textLengthMax = 256;

/** The target in the fields of an event. A URI loses its query and fragment, which may contain secrets. */
export function targetFields({ kind, key }: OfferTarget): EventFields {
  const [location = ''] = key.split(/[?#]/, 1);
  const text = (value: string) => printable(truncated(value, textLengthMax));
  return kind === 'prompts' ? { prompt_name: text(key) } : { resource_uri: text(location) };
}
