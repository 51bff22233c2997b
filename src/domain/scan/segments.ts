/**
 * Splits Markdown into segments: prose, table rows, code blocks, and text that a renderer hides.
 * Also finds pseudo-tags such as `<important>`. Pure.
 */
import { isStepEnd, type ScanLine } from './lines.ts';
import { anyReach } from './rules/step-signature.ts';

/** Consecutive lines of one kind. `hidden` text is not visible once the Markdown is rendered, `comment` is one in code. */
export interface Segment {
  kind: 'prose' | 'table' | 'code' | 'comment' | 'hidden';
  /** The language of a code block, from the word after its fence, in lower case; empty for other kinds. */
  language: string;
  lines: ScanLine[];
  /** What the Markdown around a list item or table row says of it. */
  context?: ItemContext;
}

/** `prohibited`: the heading or the sentence before the list names what to avoid. `option`: the item describes an option. */
export type ItemContext = 'prohibited' | 'option';

const fence = /^\s{0,12}(?:>\s{0,3})?(`{3,}|~{3,})\s{0,3}([\w+#.-]{0,32})/;
const listItem = /^\s{0,24}(?:[-*+•]|\d{1,4}[.)])\s/;
const linkComment = /^\s{0,12}\[[^\]]{1,40}\]:\s{0,4}(?:#|<>)\s{0,4}[("'](.{1,4000})/;
const hiddenStyle =
  /display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|opacity\s{0,3}:\s{0,3}0(?![.\d])|color\s{0,3}:\s{0,3}(?:white|transparent|#fff)|<\w{1,12}[^>]{0,80}\shidden[\s>]/i;

// A heading above, or a sentence with a colon before, a list of what not to do.
const prohibitiveHeading =
  /\b(?:anti-?\s?patterns?|avoid|(?:do|should|must)(?: not|n't)|never|mistakes?|pitfalls?|what not|not to|bad|wrong|red flags?|forbidden|prohibited|excuses)\b|反模式|避免|禁止|不要|アンチパターン|避ける|避けるべき|안티패턴|금지/i;
const prohibitiveLead =
  /\b(?:never|(?:do|must|should|may)(?: not|n't)|cannot|avoid|refuse to|prohibited|forbidden)\b.{0,80}:\**\s{0,4}$/i;
const crossedItem = /^\s{0,24}(?:(?:[-*+•]|\d{1,4}[.)]|\|)\s{0,4})?(?:\*\*)?(?:❌|✗|✘|🚫|⛔)/u;
const doubleNegation = /\b(?:forget|hesitate|fail|skip|miss|worry)\b/i;
const optionItem =
  /^\s{0,24}(?:[-*+•]|\d{1,4}[.)]|\|)\s{0,4}(?:\*\*)?`[^`]{1,80}`(?:\*\*)?\s{0,80}(?:[:|(]|[-–—]\s|to\s)/;

/**
 * Splits normalised lines into segments, in order. A line is in two segments where a comment divides it. Yields
 * undefined now and then, so that a caller can pause.
 */
export function* segmentsOf(lines: readonly ScanLine[]): Generator<Segment | undefined> {
  const reader = new SegmentReader();
  for (const line of lines) {
    reader.read(line);
    const closed = reader.closed();
    if (closed.length > 0) yield* closed;
    if (isStepEnd(line.line)) yield;
  }
  reader.end();
  yield* reader.closed();
}

const none: readonly Segment[] = [];

class SegmentReader {
  #closed: Segment[] = [];
  #current: Segment | undefined;
  #fence: string | undefined;
  #inComment = false;
  #frontMatter: 'possible' | 'open' | 'none' = 'possible';
  #underProhibition = false;
  #afterProhibition = false;

  read(line: ScanLine): void {
    if (line.offset > 0 && !this.#inComment) this.#append(this.#current?.kind ?? 'prose', line);
    else if (line.text === '' && this.#fence === undefined && !this.#inComment) this.#close();
    else if (this.#fence !== undefined) this.#readCode(line, this.#fence);
    else if (this.#inComment) this.#readComment(line);
    else this.#readText(line);
  }

  end(): void {
    this.#close();
  }

  /** The segments that were closed since the last call. */
  closed(): readonly Segment[] {
    if (this.#closed.length === 0) return none;
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  #readCode(line: ScanLine, openingFence: string): void {
    const marks = line.text.includes(openingFence) ? line.text.trim() : '';
    if (marks.startsWith(openingFence) && /^(?:`+|~+)$/.test(marks)) {
      this.#fence = undefined;
      this.#close();
    } else this.#append('code', line);
  }

  #readComment(line: ScanLine): void {
    const { text } = line;
    const end = text.indexOf('-->');
    this.#append('hidden', { ...line, text: end === -1 ? text : text.slice(0, end) });
    if (end === -1) return;
    this.#inComment = false;
    this.#close();
    this.#readText({ ...line, text: text.slice(end + 3) });
  }

  #readText(line: ScanLine): void {
    const { text } = line;
    if (this.#frontMatter !== 'none' && /^---\s{0,3}$/.test(text)) {
      this.#frontMatter = this.#frontMatter === 'possible' ? 'open' : 'none';
      this.#close();
      return;
    }
    if (this.#frontMatter === 'possible' && text.trim() !== '') this.#frontMatter = 'none';
    const opening = text.includes('```') || text.includes('~~~') ? fence.exec(text) : null;
    if (opening !== null) {
      this.#close();
      this.#fence = opening[1] ?? '```';
      this.#current = { kind: 'code', language: (opening[2] ?? '').toLowerCase(), lines: [] };
      return;
    }
    const comment = text.includes('!--') ? /<\\?!--/.exec(text) : null;
    if (comment !== null) {
      this.#readLine({ ...line, text: text.slice(0, comment.index) });
      this.#close();
      this.#inComment = true;
      this.#readComment({ ...line, text: text.slice(comment.index + comment[0].length) });
      return;
    }
    this.#readLine(line);
  }

  #readLine(line: ScanLine): void {
    const { text } = line;
    const trimmed = text.trim();
    const hidden = hiddenTextOf(text);
    if (hidden !== undefined) this.#appendAlone('hidden', { ...line, text: hidden, reach: anyReach });
    else if (trimmed === '') this.#close();
    else if (trimmed.startsWith('|')) {
      const cells = trimmed.replace(/^\||\|$/g, '').replace(/(?<!\\)\|/g, ' . ');
      this.#appendAlone('table', { ...line, text: cells }, this.#itemContext(text));
    } else if (trimmed.startsWith('#') && /^#{1,6}\s/.test(trimmed)) {
      this.#underProhibition = prohibitiveHeading.test(trimmed) && !doubleNegation.test(trimmed);
      this.#afterProhibition = false;
      this.#appendAlone('prose', { ...line, text: trimmed });
    } else this.#readParagraph(line);
  }

  #readParagraph(line: ScanLine): void {
    const { text } = line;
    const newField = this.#frontMatter === 'open' && /^\S/.test(text);
    const isItem = listItem.test(text);
    if (newField || isItem) this.#close();
    const inner = /^[\s>]/.test(text) ? text.replace(/^[\s>]{1,24}/, '') : text;
    const context = isItem ? this.#itemContext(text) : undefined;
    this.#append('prose', inner === text ? line : { ...line, text: inner }, context);
    // A line that is no item and is not indented below one begins another paragraph.
    if (!isItem && /^\S/.test(text)) this.#afterProhibition = isProhibitiveLead(text);
  }

  #itemContext(text: string): ItemContext | undefined {
    if (this.#underProhibition || this.#afterProhibition || crossedItem.test(text)) return 'prohibited';
    return optionItem.test(text) ? 'option' : undefined;
  }

  /** Appends a line as a segment of its own. */
  #appendAlone(kind: Segment['kind'], line: ScanLine, context?: ItemContext): void {
    this.#close();
    this.#append(kind, line, context);
    this.#close();
  }

  #append(kind: Segment['kind'], line: ScanLine, context?: ItemContext): void {
    if (this.#current !== undefined && this.#current.kind !== kind) this.#close();
    this.#current ??= { kind, language: '', lines: [], ...(context !== undefined && { context }) };
    this.#current.lines.push(line);
  }

  #close(): void {
    if (this.#current !== undefined && this.#current.lines.length > 0) this.#closed.push(this.#current);
    this.#current = undefined;
  }
}

// Most lines have none of the characters that the expressions need, and are not matched with them.
function hiddenTextOf(text: string): string | undefined {
  const hasColon = text.includes(':');
  const link = hasColon && text.includes(']:') ? linkComment.exec(text)?.[1] : undefined;
  if (link !== undefined) return link;
  return (hasColon || text.includes('<')) && hiddenStyle.test(text) ? text.replace(/<[^>]{0,200}>/g, ' ') : undefined;
}

function isProhibitiveLead(text: string): boolean {
  const end = text.trimEnd();
  if (!end.endsWith(':') && !end.endsWith('*')) return false;
  return prohibitiveLead.test(text) && !doubleNegation.test(text);
}

const openingTag =
  /<(important|critical|hidden|system|secret|admin|instructions?|override|urgent|assistant|developer)>/i;
const taggedLinesMax = 40;

/** An opening tag at the start of a line or with its closing tag. Any other, such as in `--key <secret>`, is a placeholder. */
function openingOf(line: string): RegExpExecArray | null {
  const opening = openingTag.exec(line);
  if (opening === null) return null;
  const isFirst = /^[\s>*#-]{0,24}$/.test(line.slice(0, opening.index));
  return isFirst || line.toLowerCase().includes(`</${opening[1]?.toLowerCase()}>`) ? opening : null;
}

/**
 * The contents of pseudo-tags: the lines up to the closing tag, at most {@link taggedLinesMax}. Yields undefined now and
 * then, so that a caller can pause.
 */
export function* taggedBlocks(lines: readonly ScanLine[]): Generator<ScanLine[] | undefined> {
  let open: { lines: ScanLine[]; closing: string } | undefined;
  for (const line of lines) {
    const { text } = line;
    if (isStepEnd(line.line)) yield;
    const opening = open === undefined && text.includes('<') ? openingOf(text) : null;
    let inner = text;
    if (opening !== null) {
      open = { lines: [], closing: `</${opening[1]?.toLowerCase()}>` };
      inner = text.slice(opening.index + opening[0].length);
    }
    if (open === undefined) continue;
    const end = inner.toLowerCase().indexOf(open.closing);
    open.lines.push({ ...line, text: end === -1 ? inner : inner.slice(0, end) });
    if (end === -1 && open.lines.length < taggedLinesMax) continue;
    yield open.lines;
    open = undefined;
  }
  if (open !== undefined) yield open.lines;
}
