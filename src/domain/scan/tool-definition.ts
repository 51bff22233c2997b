/** The pinned part of a tool definition: its digest, its texts, and the changes between two versions. Pure. */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { FieldChange } from '../../shapes/quarantine.ts';
import { quotable } from '../../shapes/text.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';

/** The part of a tool definition that is pinned and scanned: everything an agent sees except the name. */
export function pinnedDefinition(tool: ToolDefinition): JsonObject {
  const { execution, meta } = tool;
  return { ...firstPinned(tool), ...(execution !== undefined && { execution }), ...(meta !== undefined && { meta }) };
}

/** What was pinned before `execution` and `_meta` were. */
function firstPinned({ title, description, inputSchema, outputSchema, annotations }: ToolDefinition): JsonObject {
  return {
    description,
    inputSchema,
    ...(title !== undefined && { title }),
    ...(outputSchema !== undefined && { outputSchema }),
    ...(annotations !== undefined && { annotations }),
  };
}

/**
 * SHA-256 (hex) of the canonical JSON (RFC 8785), in which lists whose order means nothing are sorted: some servers write
 * them in another order at each start. Undefined if there is no canonical JSON, such as with a lone surrogate.
 */
export function definitionDigest(definition: JsonObject): string | undefined {
  return digestOf(() => sortedJson(definition));
}

/** The digest of a definition as it was computed before lists were sorted. Pins and approvals of then have it. */
export function firstDefinitionDigest(tool: ToolDefinition): string | undefined {
  return digestOf(() => canonicalize(firstPinned(tool)));
}

function digestOf(canonicalJson: () => string | undefined): string | undefined {
  try {
    const json = canonicalJson();
    return json === undefined ? undefined : hash('sha256', json, 'hex');
  } catch {
    return undefined;
  }
}

/** Keywords of JSON Schema whose lists are sets. A list of defaults is one in practice. */
const setKeywords: ReadonlySet<string> = new Set(['enum', 'required', 'type', 'default', 'examples']);

/** What JSON.stringify writes for a lone surrogate, which canonical JSON does not have. */
const loneSurrogate = /\\ud[89a-f]/;

/**
 * The canonical JSON of a definition with sorted lists. A start computes it of every tool, so JSON.stringify writes it where keys
 * stay in the order in which they are sorted, in half of the time.
 */
function sortedJson(definition: JsonObject): string | undefined {
  const sorting = { hasIntegerKey: false };
  const sorted = sortedMember('', definition, sorting);
  const json = sorting.hasIntegerKey ? undefined : JSON.stringify(sorted);
  return json === undefined || loneSurrogate.test(json) ? canonicalize(sorted) : json;
}

/** The value with its keys and its set lists sorted. An object has integer keys first, whatever their order. */
function sortedMember(key: string, value: unknown, sorting: { hasIntegerKey: boolean }): unknown {
  if (isJsonObject(value)) {
    const keys = Object.keys(value).sort();
    sorting.hasIntegerKey ||= keys.some((name) => /^\d+$/.test(name));
    return Object.fromEntries(keys.map((name) => [name, sortedMember(name, value[name], sorting)]));
  }
  if (!Array.isArray(value)) return value;
  const items = value.map((item) => sortedMember('', item, sorting));
  if (!setKeywords.has(key)) return items;
  const keyed = items.map((item) => ({ item, text: canonicalize(item) ?? '' }));
  return keyed.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)).map(({ item }) => item);
}

/** Changes that are listed at most, and the length of each value. */
const changesMax = 20;
const valueLengthMax = 200;
/** A path of many keys would be long in each of the changes. */
const pathLengthMax = 200;

/** The fields that differ between two definitions, at most {@link changesMax}. Values are escaped and truncated. */
export function definitionChanges(before: JsonObject, after: JsonObject): FieldChange[] {
  const earlier = new Map(definitionTexts(before).map(({ path, text }) => [path, text]));
  const later = new Map(definitionTexts(after).map(({ path, text }) => [path, text]));
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .filter((path) => earlier.get(path) !== later.get(path))
    .sort()
    .slice(0, changesMax)
    .map((path) => ({
      field: path.length > pathLengthMax ? `${path.slice(0, pathLengthMax)}…` : path,
      ...quotedValue('before', earlier.get(path)),
      ...quotedValue('after', later.get(path)),
    }));
}

function quotedValue(key: 'before' | 'after', text: string | undefined): Partial<FieldChange> {
  return text === undefined ? {} : { [key]: quotable(text, valueLengthMax) };
}

const depthMax = 64;

/** Every value of a definition as text, with the path of keys that leads to it. */
export function definitionTexts(definition: JsonObject): { path: string; text: string }[] {
  return [...leaves(definition)];
}

/** The leaves of a JSON value with their paths. A value deeper than {@link depthMax} is one leaf. */
function* leaves(value: unknown, path = '', depth = 0): Generator<{ path: string; text: string }> {
  if (typeof value !== 'object' || value === null || depth > depthMax) {
    yield { path, text: typeof value === 'string' ? value : (JSON.stringify(value) ?? '') };
    return;
  }
  const empty = Object.keys(value).length === 0;
  if (empty) yield { path, text: Array.isArray(value) ? '[]' : '{}' };
  for (const [key, inner] of Object.entries(value)) {
    yield* leaves(inner, path === '' ? quotable(key, 60) : `${path}/${quotable(key, 60)}`, depth + 1);
  }
}

/** The top-level fields that changed. Names below them were chosen by the author of the tool and are left out. */
export function changedFields(changes: readonly FieldChange[]): string {
  return [...new Set(changes.map(({ field }) => topLevelField(field)))].join(',');
}

/** The first segment of a path. The others may be untrusted text, which events must not contain. */
export function topLevelField(path: string): string {
  return path.split('/')[0] ?? '';
}
