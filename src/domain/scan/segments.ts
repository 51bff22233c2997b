/** A part of a skill or tool to segments: running text, table rows, code with its language, and what a renderer hides. Pure. */
import type { ScanLine } from './tokens.ts';

/** A stretch of one kind. `hidden` is what a person who sees the rendered text does not see. */
export interface Segment {
  kind: 'prose' | 'table' | 'code' | 'hidden';
  /** Of code: the word after the fence, in lower case. */
  language: string;
  lines: ScanLine[];
}

const fence = /^\s{0,12}(?:>\s{0,3})?(`{3,}|~{3,})\s{0,3}([\w+#.-]{0,32})/;
const listItem = /^\s{0,24}(?:[-*+•]|\d{1,4}[.)])\s/;
const linkComment = /^\s{0,12}\[[^\]]{1,40}\]:\s{0,4}(?:#|<>)\s{0,4}[("'](.{1,4000})/;
const hiddenStyle =
  /display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|opacity\s{0,3}:\s{0,3}0(?![.\d])|color\s{0,3}:\s{0,3}(?:white|transparent|#fff)|<\w{1,12}[^>]{0,80}\shidden[\s>]/i;

/** The segments of lines in their normal form, in order. Every line is in one, or in two where a comment divides it. */
export function segmentsOf(lines: readonly ScanLine[]): Segment[] {
  const reader = new SegmentReader();
  for (const line of lines) reader.read(line);
  return reader.end();
}

class SegmentReader {
  readonly #segments: Segment[] = [];
  #open: Segment | undefined;
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

  #readCode(line: ScanLine, opened: string): void {
    const marks = line.text.trim();
    if (marks.startsWith(opened) && /^(?:`+|~+)$/.test(marks)) {
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
      this.#open = { kind: 'code', language: (opening[2] ?? '').toLowerCase(), lines: [] };
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
    if (hidden !== undefined) this.#alone('hidden', { text: hidden, line });
    else if (trimmed === '') this.#close();
    else if (trimmed.startsWith('|'))
      this.#alone('table', { text: trimmed.replace(/^\||\|$/g, '').replace(/(?<!\\)\|/g, ' . '), line });
    else if (/^#{1,6}\s/.test(trimmed)) this.#alone('prose', { text: trimmed, line });
    else {
      const newField = this.#frontMatter === 'open' && /^\S/.test(text);
      if (newField || listItem.test(text)) this.#close();
      this.#append('prose', { text: text.replace(/^[\s>]{1,24}/, ''), line });
    }
  }

  #alone(kind: Segment['kind'], line: ScanLine): void {
    this.#close();
    this.#append(kind, line);
    this.#close();
  }

  #append(kind: Segment['kind'], line: ScanLine): void {
    if (this.#open !== undefined && this.#open.kind !== kind) this.#close();
    this.#open ??= { kind, language: '', lines: [] };
    this.#open.lines.push(line);
  }

  #close(): void {
    if (this.#open !== undefined && this.#open.lines.length > 0) this.#segments.push(this.#open);
    this.#open = undefined;
  }
}

const openingTag =
  /<(important|critical|hidden|system|secret|admin|instructions?|override|urgent|assistant|developer)>/i;
const taggedLinesMax = 40;

/** What stands between an opening tag that poses as the system's and its end, or the next lines. */
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
