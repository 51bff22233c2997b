/**
 * Splits Markdown into segments: prose, table rows, code blocks, and text that a renderer hides.
 * Also finds pseudo-tags such as `<important>`. Pure.
 */
import type { ScanLine } from './tokens.ts';

/** Consecutive lines of one kind. `hidden` text is not visible once the Markdown is rendered. */
export interface Segment {
  kind: 'prose' | 'table' | 'code' | 'hidden';
  /** The language of a code block, from the word after its fence, in lower case; empty for other kinds. */
  language: string;
  lines: ScanLine[];
}

const fence = /^\s{0,12}(?:>\s{0,3})?(`{3,}|~{3,})\s{0,3}([\w+#.-]{0,32})/;
const listItem = /^\s{0,24}(?:[-*+•]|\d{1,4}[.)])\s/;
const linkComment = /^\s{0,12}\[[^\]]{1,40}\]:\s{0,4}(?:#|<>)\s{0,4}[("'](.{1,4000})/;
const hiddenStyle =
  /display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|opacity\s{0,3}:\s{0,3}0(?![.\d])|color\s{0,3}:\s{0,3}(?:white|transparent|#fff)|<\w{1,12}[^>]{0,80}\shidden[\s>]/i;

/** Splits normalised lines into segments, in order. A line is in two segments where a comment divides it. */
export function segmentsOf(lines: readonly ScanLine[]): Segment[] {
  const reader = new SegmentReader();
  for (const line of lines) reader.read(line);
  return reader.end();
}

class SegmentReader {
  readonly #segments: Segment[] = [];
  #current: Segment | undefined;
  #fence: string | undefined;
  #inComment = false;
  #frontMatter: 'possible' | 'open' | 'none' = 'possible';

  read(line: ScanLine): void {
    if (this.#fence !== undefined) this.#readCode(line, this.#fence);
    else if (this.#inComment) this.#readComment(line);
    else this.#readText(line);
  }

  end(): Segment[] {
    this.#close();
    return this.#segments;
  }

  #readCode(line: ScanLine, openingFence: string): void {
    const marks = line.text.trim();
    if (marks.startsWith(openingFence) && /^(?:`+|~+)$/.test(marks)) {
      this.#fence = undefined;
      this.#close();
    } else this.#append('code', line);
  }

  #readComment({ text, line }: ScanLine): void {
    const end = text.indexOf('-->');
    this.#append('hidden', { text: end === -1 ? text : text.slice(0, end), line });
    if (end === -1) return;
    this.#inComment = false;
    this.#close();
    this.#readText({ text: text.slice(end + 3), line });
  }

  #readText({ text, line }: ScanLine): void {
    if (this.#frontMatter !== 'none' && /^---\s{0,3}$/.test(text)) {
      this.#frontMatter = this.#frontMatter === 'possible' ? 'open' : 'none';
      this.#close();
      return;
    }
    if (this.#frontMatter === 'possible' && text.trim() !== '') this.#frontMatter = 'none';
    const opening = fence.exec(text);
    if (opening !== null) {
      this.#close();
      this.#fence = opening[1] ?? '```';
      this.#current = { kind: 'code', language: (opening[2] ?? '').toLowerCase(), lines: [] };
      return;
    }
    const comment = /<\\?!--/.exec(text);
    if (comment !== null) {
      this.#readLine({ text: text.slice(0, comment.index), line });
      this.#close();
      this.#inComment = true;
      this.#readComment({ text: text.slice(comment.index + comment[0].length), line });
      return;
    }
    this.#readLine({ text, line });
  }

  #readLine({ text, line }: ScanLine): void {
    const trimmed = text.trim();
    const hidden =
      linkComment.exec(text)?.[1] ?? (hiddenStyle.test(text) ? text.replace(/<[^>]{0,200}>/g, ' ') : undefined);
    if (hidden !== undefined) this.#appendAlone('hidden', { text: hidden, line });
    else if (trimmed === '') this.#close();
    else if (trimmed.startsWith('|'))
      this.#appendAlone('table', { text: trimmed.replace(/^\||\|$/g, '').replace(/(?<!\\)\|/g, ' . '), line });
    else if (/^#{1,6}\s/.test(trimmed)) this.#appendAlone('prose', { text: trimmed, line });
    else {
      const newField = this.#frontMatter === 'open' && /^\S/.test(text);
      if (newField || listItem.test(text)) this.#close();
      this.#append('prose', { text: text.replace(/^[\s>]{1,24}/, ''), line });
    }
  }

  /** Appends a line as a segment of its own. */
  #appendAlone(kind: Segment['kind'], line: ScanLine): void {
    this.#close();
    this.#append(kind, line);
    this.#close();
  }

  #append(kind: Segment['kind'], line: ScanLine): void {
    if (this.#current !== undefined && this.#current.kind !== kind) this.#close();
    this.#current ??= { kind, language: '', lines: [] };
    this.#current.lines.push(line);
  }

  #close(): void {
    if (this.#current !== undefined && this.#current.lines.length > 0) this.#segments.push(this.#current);
    this.#current = undefined;
  }
}

const openingTag =
  /<(important|critical|hidden|system|secret|admin|instructions?|override|urgent|assistant|developer)>/i;
const taggedLinesMax = 40;

/** The contents of pseudo-tags: the lines up to the closing tag, at most {@link taggedLinesMax}. */
export function taggedBlocks(lines: readonly ScanLine[]): ScanLine[][] {
  const blocks: ScanLine[][] = [];
  let open: { lines: ScanLine[]; closing: string } | undefined;
  for (const { text, line } of lines) {
    const opening = open === undefined ? openingTag.exec(text) : null;
    let inner = text;
    if (opening !== null) {
      open = { lines: [], closing: `</${opening[1]?.toLowerCase()}>` };
      blocks.push(open.lines);
      inner = text.slice(opening.index + opening[0].length);
    }
    if (open === undefined) continue;
    const end = inner.toLowerCase().indexOf(open.closing);
    open.lines.push({ text: end === -1 ? inner : inner.slice(0, end), line });
    if (end !== -1 || open.lines.length >= taggedLinesMax) open = undefined;
  }
  return blocks;
}
