/** Samples of output in documents: what differs between two runs, and a page with the samples of another run. */
import type { Block } from './block.ts';

/** Roots, leaves and signatures in base64, keys and ids, with the word for each kind. */
const numbered: readonly (readonly [RegExp, string])[] = [
  [/\bhst_[\w-]+/g, 'key'],
  [/(?<![\w+/])[\w+/]{43,}={0,2}/g, 'bytes'],
  [/\b(?=[a-f]*\d)[0-9a-f]{8,}\b|_[0-9a-f]{8,}\b/g, 'id'],
];

/** In order: what differs between two runs of the same commands, and the word that replaces it. */
const variable: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>'],
  [/\b\d\d:\d\d:\d\d(?:\.\d{3})?\b/g, '<clock>'],
  [/\bp(\d+) <= [\d.]+/g, 'p$1 <= <number>'],
  [/\b[\d.,]+ (?:ms|s|MiB|KiB|GiB)\b/g, '<amount>'],
  [/\b(\d+)(?:ms|s) ago\b/g, '<ago>'],
  [/[ \t]+/g, ' '],
];

/** The text without what differs between two runs. Ids and bytes are numbered, so that equal ones stay equal. */
export function normalForm(text: string): string {
  let normal = text.trim();
  for (const [pattern, word] of numbered) {
    const seen: string[] = [];
    normal = normal.replaceAll(pattern, (found) => {
      if (!seen.includes(found)) seen.push(found);
      return `<${word} ${seen.indexOf(found) + 1}>`;
    });
  }
  for (const [pattern, word] of variable) normal = normal.replaceAll(pattern, word);
  return normal.replaceAll(/ +$/gm, '');
}

/** Whether a sample is what the commands printed, but for what differs between two runs. */
export function isSampleOf(sample: string, output: string): boolean {
  return normalForm(sample) === normalForm(output);
}

/** For each line of a sample, the line of a terminal that it is, in any order: signals are exported apart from each other. */
export function linesOfTerminal(sample: string, output: string): (string | undefined)[] {
  const printed = new Map(output.split('\n').map((line) => [normalForm(line), line]));
  const lines = sample.trimEnd().split('\n');
  return lines.map((line) => printed.get(normalForm(line)));
}

/** The document with other texts in its blocks, by the line of the block. */
export function withSamples(text: string, samples: ReadonlyMap<number, string>): string {
  const lines = text.split('\n');
  const ordered = [...samples].sort(([a], [b]) => b - a);
  for (const [line, sample] of ordered) {
    const end = lines.findIndex((content, index) => index >= line && /^ *```$/.test(content));
    lines.splice(line, end - line, ...sample.trimEnd().split('\n'));
  }
  return lines.join('\n');
}

/** The sample that follows the commands of a block, if it has one. */
export function sampleAfter(block: Block, blocks: readonly Block[]): Block | undefined {
  const next = blocks[blocks.indexOf(block) + 1];
  return next?.isOutput === true ? next : undefined;
}
