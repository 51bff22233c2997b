/** The parts of a skill or tool definition that are scanned, and scan findings as fields of an event. Pure. */
import type { EventFields } from '../../shapes/event.ts';
import { isJsonObject } from '../../shapes/json.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { quotable } from '../../shapes/text.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { type ScanPart, worstSeverity } from './scanner.ts';
import { definitionTexts, pinnedDefinition, topLevelField } from './tool-definition.ts';

// Files that an agent reads as text. Scripts are left out: the scan matches wording and does not analyse code.
const textFile = /\.(?:md|mdx|markdown|txt|rst)$/i;

/** The parts of a skill that an agent may read: frontmatter, instructions, text files, and all file names. */
export function skillParts({ frontmatter, attributes, instructions, files }: SkillDocument): ScanPart[] {
  const { name, description } = frontmatter;
  const { name: writtenName = '', description: _description, ...rest } = attributes;
  return [
    { part: 'description', text: description },
    { part: 'instructions', text: instructions },
    { part: 'name', text: name },
    ...(writtenName === name ? [] : [{ part: 'name', text: textsOf(writtenName).join('\n') }]),
    ...Object.entries(rest).map(([key, value]) => ({ part: partOf(key), text: textsOf(value).join('\n') })),
    { part: 'file names', text: files.map(({ path }) => path).join('\n') },
    ...files
      .filter(({ path, encoding }) => encoding === 'utf-8' && textFile.test(path))
      .map(({ path, content }) => ({ part: `files/${quotable(path, 80)}`, text: content })),
  ].filter(({ text }) => text !== '');
}

const specifiedParts = new Set(['license', 'compatibility', 'metadata', 'allowed-tools']);

/** The part of a frontmatter key. Keys of the author's invention are quoted, since the part is shown. */
function partOf(key: string): string {
  return specifiedParts.has(key) ? key : `frontmatter/${quotable(key, 60)}`;
}

/** The keys and values in a frontmatter value, at any depth. */
function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (isJsonObject(value)) return Object.entries(value).flatMap(([key, inner]) => [key, ...textsOf(inner)]);
  return value === null || value === undefined ? [] : [String(value)];
}

/** The parts of a tool definition: its name and every value in it. The keys of its schemas are not scanned. */
export function toolParts(tool: ToolDefinition): ScanPart[] {
  return [
    { part: 'name', text: tool.toolName },
    ...definitionTexts(pinnedDefinition(tool)).map(({ path, text }) => ({ part: path, text })),
  ];
}

const placesMax = 20;

/** The fields of an event about findings: rule ids, places and the worst severity, but no scanned text. */
export function findingFields(findings: readonly ScanFinding[]): EventFields {
  if (findings.length === 0) return {};
  return {
    rule_ids: [...new Set(findings.map(({ ruleId }) => ruleId))].join(','),
    severity: worstSeverity(findings),
    lines: findings
      .slice(0, placesMax)
      .map(({ part, line }) => `${topLevelField(part)}:${line}`)
      .join(','),
  };
}
