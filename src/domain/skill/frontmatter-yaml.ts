/**
 * Reads frontmatter YAML: strictly first, then leniently, as clients do, with plain values quoted.
 * Returns JSON values. Pure.
 */
import { type Document, isScalar, parseDocument, visit, type YAMLError } from 'yaml';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { printable, truncated } from '../../shapes/text.ts';

/** The length limit of YAML, in UTF-16 units. The YAML parser takes quadratic time in the number of keys. */
export const frontmatterLengthMax = 16_384;

const yamlErrorsMax = 5;

/** The keys and values of frontmatter, and why it is not valid YAML, if it is not. */
export interface FrontmatterReading {
  /** Undefined if no keys were found. */
  attributes: JsonObject | undefined;
  /** Reasons why the YAML does not parse; the attributes were then read line by line. */
  problems: string[];
}

/** Reads the YAML between the two `---` lines. What does not parse is read as text, key by key. */
export function readFrontmatterYaml(yaml: string): FrontmatterReading {
  const strict = parseYaml(yaml);
  if (strict.attributes !== undefined || strict.problems.length === 0) return strict;
  const blocks = topLevelBlocks(yaml);
  return blocks.length === 0 ? strict : { attributes: readBlocks(blocks), problems: strict.problems };
}

/**
 * Parses a YAML mapping in the core schema. Aliases and tags are rejected, as in the strict YAML of the reference
 * validator, so a short document cannot expand into a long one.
 */
function parseYaml(yaml: string): FrontmatterReading {
  const refused = (problem: string) => ({ attributes: undefined, problems: [problem] });
  if (yaml.length > frontmatterLengthMax) {
    return refused(`found ${yaml.length} characters, at most ${frontmatterLengthMax} are allowed`);
  }
  // The parser would end the document at such a line and silently ignore the rest.
  if (/^\.\.\.(?:\s|$)/m.test(yaml)) return refused('found a line "..." that ends the YAML early');
  // The line break takes the place of the opening `---`, so that line numbers match the file.
  const document = parseDocument(`\n${yaml}`, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    merge: false,
    stringKeys: true,
    uniqueKeys: true,
    strict: true,
    prettyErrors: true,
    logLevel: 'silent',
  });
  const errors: YAMLError[] = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    const reasons = errors.slice(0, yamlErrorsMax).map((error) => error.message.split(':\n')[0] ?? error.code);
    return {
      attributes: undefined,
      problems: reasons.map((reason) => `found YAML that does not parse: ${truncated(printable(reason), 160)}`),
    };
  }
  try {
    keepUnsafeNumbers(document);
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { attributes: isJsonObject(value) ? value : undefined, problems: [] };
  } catch {
    return refused('found a YAML alias, allowed are plain values only');
  }
}

/** Keeps numbers that JSON or a double cannot represent as the text that was written. */
function keepUnsafeNumbers(document: Document): void {
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== 'number' || !isScalar(node)) return;
      const isExact =
        Number.isFinite(node.value) && (!Number.isInteger(node.value) || Number.isSafeInteger(node.value));
      if (!isExact && node.source !== undefined) node.value = node.source;
    },
  });
}

/** A top-level key and the lines of its value, the first without the key. */
interface KeyBlock {
  key: string;
  lines: string[];
}

/** Splits YAML at its top-level keys. Lines before the first key, comments, and lines of other documents are left out. */
function topLevelBlocks(yaml: string): KeyBlock[] {
  const blocks: KeyBlock[] = [];
  for (const line of yaml.split('\n')) {
    const start = /^(?:"([^"]+)"|'([^']+)'|([\p{L}\p{N}_][^\s:#]*(?: [^\s:#]+)*))[ \t]*:(?:[ \t]+(.*))?$/u.exec(line);
    const key = start?.[1] ?? start?.[2] ?? start?.[3];
    if (key !== undefined) blocks.push({ key, lines: [start?.[4] ?? ''] });
    else if (!/^(?:\.\.\.|---|%|#)/.test(line)) blocks.at(-1)?.lines.push(line);
  }
  return blocks;
}

function block(key: string, lines: readonly string[]): string {
  return `${JSON.stringify(key)}: ${lines.join('\n')}`;
}

/** YAML of one key. A plain value, which may hold `: ` or ` #`, is quoted; every other form is returned unchanged. */
function quotedBlock(key: string, [first = '', ...rest]: string[]): string {
  const isPlain = first !== '' && !/^(?:["'[{|>#&*!])/.test(first);
  return block(key, isPlain ? [JSON.stringify(foldedText([first, ...rest]))] : [first, ...rest]);
}

/** Keys that are parsed one by one. Further ones are read as text, so that the time is bounded. */
const blocksParsedMax = 200;

/** Reads each key by itself. Of a key that is written twice the last value counts, as for most clients. */
function readBlocks(blocks: readonly KeyBlock[]): JsonObject {
  const values = blocks.map((block, index) => {
    const parsed = index < blocksParsedMax ? parsedValue(block) : undefined;
    return [block.key, parsed === undefined ? textOf(block) : parsed] as const;
  });
  // Entries make an own property of `__proto__` too.
  return Object.fromEntries(values);
}

/** The value of a key if its lines are YAML, perhaps with tabs in place of the spaces before them. */
function parsedValue({ key, lines }: KeyBlock): unknown {
  const indented = lines.map((line) => line.replace(/^[ \t]+/, (before) => before.replaceAll('\t', '  ')));
  for (const yaml of [block(key, lines), quotedBlock(key, lines), quotedBlock(key, indented)]) {
    const { attributes } = parseYaml(yaml);
    if (attributes !== undefined) return Object.entries(attributes)[0]?.[1];
  }
  return undefined;
}

function textOf({ lines: [first = '', ...rest] }: KeyBlock): string {
  const lines = /^[|>][+-]?\d?[+-]?\s*$/.test(first) ? rest : [first, ...rest];
  return foldedText(lines).replace(/^(["'])(.*)\1$/s, '$2');
}

function foldedText(lines: readonly string[]): string {
  return lines
    .map((line) => line.trim())
    .join('\n')
    .trim()
    .replace(/(?<!\n)\n(?!\n)/g, ' ');
}
