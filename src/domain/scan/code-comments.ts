/** The comments in lines of code of any common language. An agent that reads the code reads them as prose. Pure. */
import { isStepEnd, type ScanLine } from './lines.ts';

// Runs to the end of its line. A mark within a word, such as a URL, and an option such as `--force` begin no comment.
const lineComment = /(?:^|\s)(?:#{1,3}(?![!{])|\/\/[/!]?|--(?=\s)|;;?(?=\s)|%%?(?=\s)|rem\s|::\s)\s{0,8}(.{3,4096})$/i;
const blockOpening = /\/\*{1,2}|<!--|"""|'''|<#|\(\*/;
const blockClosings: Readonly<Record<string, string>> = {
  '/*': '*/',
  '/**': '*/',
  '<!--': '-->',
  '"""': '"""',
  "'''": "'''",
  '<#': '#>',
  '(*': '*)',
};

/**
 * The text of the comments in lines of code, one entry for each run of consecutive lines with comments. Yields undefined
 * now and then, so that a caller can pause.
 */
export function* commentsOf(lines: readonly ScanLine[]): Generator<ScanLine[] | undefined> {
  let closing: string | undefined;
  let comment: ScanLine[] = [];
  for (const line of lines) {
    const found = readComment(line.text, closing);
    closing = found.closing;
    const text = found.text.replace(/^[\s*#/]{1,24}/, '');
    if (text !== '') comment.push({ ...line, text });
    else if (comment.length > 0) {
      yield comment;
      comment = [];
    }
    if (isStepEnd(line.line)) yield;
  }
  if (comment.length > 0) yield comment;
}

/** The comment in a line, and the mark that ends the block comment which is open after the line. */
function readComment(line: string, closing: string | undefined): { text: string; closing: string | undefined } {
  if (closing !== undefined) {
    const end = line.indexOf(closing);
    return end === -1 ? { text: line, closing } : { text: line.slice(0, end), closing: undefined };
  }
  const opening = blockOpening.exec(line);
  if (opening === null) return { text: lineComment.exec(line)?.[1] ?? '', closing: undefined };
  const mark = blockClosings[opening[0]] ?? '';
  const inner = line.slice(opening.index + opening[0].length);
  const end = inner.indexOf(mark);
  return end === -1 ? { text: inner, closing: mark } : { text: inner.slice(0, end), closing: undefined };
}
