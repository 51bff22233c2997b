/**
 * Conversion of arguments of the hub's own tools, as models and clients write them. Numbers and booleans come as text, null
 * for what is absent, and objects as JSON text. Pure; what is not clear without doubt is left for the schema to refuse.
 */
import { exactJson, isJsonObject, type JsonObject, parsedJson } from '../shapes/json.ts';

/** The arguments with values converted to the types that the input schema declares. An optional argument that is null is left out. */
export function convertedArguments(inputSchema: JsonObject, args: unknown): unknown {
  if (args === null || args === undefined) return {};
  const { properties, required } = inputSchema;
  if (!isJsonObject(args) || !isJsonObject(properties)) return args;
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const entries = Object.entries(args).flatMap(([name, value]): [string, unknown][] => {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isJsonObject(declared)) return [[name, value]];
    const found = convertedValue(value, declared.type);
    return found === null && !isRequired(name) ? [] : [[name, found]];
  });
  return Object.fromEntries(entries);
}

function convertedValue(value: unknown, type: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  switch (type) {
    case 'integer':
    case 'number':
      return text === '' || Number.isNaN(Number(text)) ? value : Number(text);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : value;
    case 'object': {
      if (text === '') return null;
      const parsed = exactJson(text) ?? parsedJson(text);
      return parsed === null || isJsonObject(parsed) ? parsed : value;
    }
    default:
      return value;
  }
}

/** The arguments that the input schema declares, and the names of the others, each truncated by the caller. */
export function declaredArguments(inputSchema: JsonObject, args: unknown): { declared: unknown; ignored: string[] } {
  if (!isJsonObject(args) || !isJsonObject(inputSchema.properties)) return { declared: args, ignored: [] };
  const { properties } = inputSchema;
  const ignored = Object.keys(args).filter((name) => !Object.hasOwn(properties, name));
  if (ignored.length === 0) return { declared: args, ignored };
  const declared = Object.fromEntries(Object.entries(args).filter(([name]) => Object.hasOwn(properties, name)));
  return { declared, ignored };
}
