/** Skills and tool definitions as parts to scan, and findings as the fields of an event. Pure. */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { EventFields } from '../../shapes/event.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { FieldChange } from '../../shapes/quarantine.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { quotable } from '../../shapes/text.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { type ScanPart, worstSeverity } from './scanner.ts';

// Files beside SKILL.md that an agent reads as text; scripts are outside what a scan of wording can judge.
const textFile = /\.(?:md|mdx|markdown|txt|rst)$/i;

/** What of a skill an agent may come to read: its frontmatter, its instructions, its text files, and all file names. */
export function skillParts({ frontmatter, instructions, files }: SkillDocument): ScanPart[] {
  const { name, description, license = '', compatibility = '', metadata = {}, allowedTools = [] } = frontmatter;
  return [
    { part: 'description', text: description },
    { part: 'instructions', text: instructions },
    { part: 'name', text: name },
    { part: 'license', text: license },
    { part: 'compatibility', text: compatibility },
    { part: 'metadata', text: Object.entries(metadata).flat().join('\n') },
    { part: 'allowed-tools', text: allowedTools.join('\n') },
    { part: 'file names', text: files.map(({ path }) => path).join('\n') },
    ...files
      .filter(({ path, encoding }) => encoding === 'utf-8' && textFile.test(path))
      .map(({ path, content }) => ({ part: `files/${quotable(path, 80)}`, text: content })),
  ].filter(({ text }) => text !== '');
}

/** The part of a tool's definition that is pinned and scanned: all that an agent is shown of it, but its name. */
export function pinnedDefinition({
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
}: ToolDefinition): JsonObject {
  return {
    description,
    inputSchema,
    ...(title !== undefined && { title }),
    ...(outputSchema !== undefined && { outputSchema }),
    ...(annotations !== undefined && { annotations }),
  };
}

/** SHA-256 (hex) over canonical JSON (RFC 8785); undefined for what has none, such as half a surrogate pair. */
export function definitionDigest(definition: JsonObject): string | undefined {
  try {
    const json = canonicalize(definition);
    return json === undefined ? undefined : hash('sha256', json, 'hex');
  } catch {
    return undefined;
  }
}

/** Every text in a tool's definition, keys of its schemas included. */
export function toolParts(tool: ToolDefinition): ScanPart[] {
  return [
    { part: 'name', text: tool.toolName },
    ...[...leaves(pinnedDefinition(tool))].map(({ path, text }) => ({ part: path, text })),
  ];
}

/** Changes that are listed, and the length of each value. */
const changesMax = 20;
const valueLengthMax = 200;

/** What differs between two definitions, field by field, at most {@link changesMax}; values are escaped and cut. */
export function definitionChanges(before: JsonObject, after: JsonObject): FieldChange[] {
  const earlier = new Map([...leaves(before)].map(({ path, text }) => [path, text]));
  const later = new Map([...leaves(after)].map(({ path, text }) => [path, text]));
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .filter((path) => earlier.get(path) !== later.get(path))
    .sort()
    .slice(0, changesMax)
    .map((path) => ({ field: path, ...shown('before', earlier.get(path)), ...shown('after', later.get(path)) }));
}

function shown(key: 'before' | 'after', text: string | undefined): Partial<FieldChange> {
  return text === undefined ? {} : { [key]: quotable(text, valueLengthMax) };
}

const depthMax = 64;

/** The leaves of a JSON value with their paths; a key is a leaf too, for it is read like any text. Undeep, so bounded. */
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

const listedMax = 20;

/** The fields of an event about findings: rule ids, places and the worst severity, never the text. */
export function findingFields(findings: readonly ScanFinding[]): EventFields {
  if (findings.length === 0) return {};
  return {
    rule_ids: [...new Set(findings.map(({ ruleId }) => ruleId))].join(','),
    severity: worstSeverity(findings),
    lines: findings
      .slice(0, listedMax)
      .map(({ part, line }) => `${topLevel(part)}:${line}`)
      .join(','),
  };
}

/** The fields of a definition that changed, without the names its author gave to what lies within them. */
export function changedFields(changes: readonly FieldChange[]): string {
  return [...new Set(changes.map(({ field }) => topLevel(field)))].join(',');
}

/** Names within a schema and of files are text of others, which has no place in an event. */
function topLevel(path: string): string {
  return path.split('/')[0] ?? '';
}
