/** What a client of protocol 2026-07-28 declares in a request, as servers of that protocol get it. */
import { CLIENT_CAPABILITIES_META_KEY, LOG_LEVEL_META_KEY } from '@modelcontextprotocol/server';
import type { CallOptions } from '../../domain/tool-call.ts';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';

/** What a client declares: its capabilities, its log level, and its answers to an earlier result. */
export type ClientDeclaration = NonNullable<CallOptions['client']>;

/** The capabilities that the hub can pass on: those that let a server ask for input. Tasks and extensions are not. */
const passedCapabilities = ['sampling', 'elicitation', 'roots'] as const;

/** The declaration in `params` of a request. `_meta` and the fields of a repeated request are passed on unchanged. */
export function declarationOf(params: JsonObject): ClientDeclaration {
  const meta = isJsonObject(params._meta) ? params._meta : {};
  const level = meta[LOG_LEVEL_META_KEY];
  const { inputResponses, requestState } = params;
  return {
    meta: {
      [CLIENT_CAPABILITIES_META_KEY]: inputCapabilities(meta[CLIENT_CAPABILITIES_META_KEY]),
      ...(level !== undefined && { [LOG_LEVEL_META_KEY]: level }),
    },
    retry: {
      ...(inputResponses !== undefined && { inputResponses }),
      ...(requestState !== undefined && { requestState }),
    },
  };
}

/** The capabilities in a declaration. */
export function capabilitiesOf({ meta }: ClientDeclaration): JsonObject {
  return inputCapabilities(meta[CLIENT_CAPABILITIES_META_KEY]);
}

/** Of the capabilities of a client those that let a server ask for input. */
export function inputCapabilities(capabilities: unknown): JsonObject {
  if (!isJsonObject(capabilities)) return {};
  const passed = passedCapabilities.filter((name) => isJsonObject(capabilities[name]));
  return Object.fromEntries(passed.map((name) => [name, capabilities[name]]));
}
