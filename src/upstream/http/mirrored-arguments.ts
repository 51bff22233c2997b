/**
 * Annotations of tools that want arguments mirrored in HTTP headers (`x-mcp-header`). A client of Streamable HTTP in the
 * revision 2026-07-28 must not offer a tool with an invalid one (SEP-2243).
 */
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';

const annotation = 'x-mcp-header';

/** A token of RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Types whose values a header can hold. The specification excludes `number`, whose spellings differ between languages. */
const mirroredTypes: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);

/** Keywords whose values are data, not schemas. */
const dataKeywords: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples']);

/**
 * Whether each annotation is on a property of a permitted type that is reached through `properties` alone, and names a header
 * that no other annotation names.
 */
export function areAnnotationsValid(inputSchema: JsonObject): boolean {
  const names = new Set<string>();
  // A list instead of recursion, for schemas of any depth.
  const pending: { value: unknown; isReachable: boolean }[] = [{ value: inputSchema, isReachable: true }];
  if (annotation in inputSchema) return false;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, isReachable } = next;
    if (Array.isArray(value)) for (const item of value) pending.push({ value: item, isReachable: false });
    if (!isJsonObject(value)) continue;
    if (annotation in value && !(isReachable && isPermitted(value, names))) return false;
    for (const [keyword, part] of Object.entries(value)) {
      const isProperties = keyword === 'properties' && isJsonObject(part);
      if (isProperties) for (const property of Object.values(part)) pending.push({ value: property, isReachable });
      else if (!dataKeywords.has(keyword)) pending.push({ value: part, isReachable: false });
    }
  }
  return true;
}

function isPermitted({ [annotation]: name, type }: JsonObject, names: Set<string>): boolean {
  if (typeof name !== 'string' || !token.test(name) || !mirroredTypes.has(type)) return false;
  const isNew = !names.has(name.toLowerCase());
  names.add(name.toLowerCase());
  return isNew;
}
