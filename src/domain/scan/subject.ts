/** The parts of a skill or tool definition that are scanned, and scan findings as fields of an event. Pure. */
import { hash } from 'node:crypto';
import type { EventFields } from '../../shapes/event.ts';
import { isJsonObject } from '../../shapes/json.ts';
import { filePart, type ScanFinding } from '../../shapes/scan.ts';
import type { SkillDocument } from '../../shapes/skill.ts';
import { quotable } from '../../shapes/text.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { fileDigest } from '../../stores/skill/file-digest.ts';
import { type ScanPart, worstSeverity } from './scanner.ts';
import { formatOf } from './text-format.ts';
import { definitionTexts, pinnedDefinition, topLevelField } from './tool-definition.ts';

/** The parts of a skill that an agent may read: frontmatter, instructions, and the names and texts of all files. */
export function skillParts({
  frontmatter,
  attributes,
  instructions,
  files,
}: Pick<SkillDocument, 'frontmatter' | 'attributes' | 'instructions' | 'files'>): ScanPart[] {
  const { name, description } = frontmatter;
  const { name: writtenName = '', description: _description, ...rest } = attributes;
  return [
    { part: 'description', text: description },
    { part: 'instructions', text: instructions, digest: hash('sha256', instructions, 'hex') },
    { part: 'name', text: name },
    ...(writtenName === name ? [] : [{ part: 'name', text: textsOf(writtenName).join('\n') }]),
    ...Object.entries(rest).map(([key, value]) => ({ part: partOf(key), text: textsOf(value).join('\n') })),
    { part: 'file names', text: files.map(({ path }) => path).join('\n') },
    ...files
      .filter(({ encoding }) => encoding === 'utf-8')
      .map((file) => ({
        ...{ part: filePart(quotable(file.path, 255)), text: file.content },
        ...{ format: formatOf(file.path), digest: fileDigest(file) },
      })),
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
