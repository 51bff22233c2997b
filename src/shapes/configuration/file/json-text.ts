/** JSON with comments, trailing commas and a byte order mark, with the line and column of each place. */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

/** A place in a text; both from 1. */
export interface TextPlace {
  line: number;
  column: number;
}

/** Parsed JSON text. */
export type ParsedJsonText =
  | {
      outcome: 'parsed';
      value: unknown;
      /** The place of a key, or of an item of a list; that of its closest parent if there is no such key. */
      placeOf: (path: readonly string[]) => TextPlace;
      /** Keys that are given more than once in one object. The last one counts. */
      repeatedKeys: readonly { path: readonly string[]; place: TextPlace }[];
    }
  | { outcome: 'broken'; place: TextPlace; reason: string };

/** Parses JSON text. It never shows the text, which may contain secrets. */
export function parseJsonText(written: string): ParsedJsonText {
  const text = written.startsWith('\ufeff') ? written.slice(1) : written;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const place = placeAt(text, error?.offset ?? text.length);
    return { outcome: 'broken', place, reason: brokenReason(error, text) };
  }
  return {
    outcome: 'parsed',
    value: getNodeValue(root),
    placeOf: (path) => placeAt(text, keyOffset(root, path)),
    repeatedKeys: repeatedKeys(root, []).map(({ path, offset }) => ({ path, place: placeAt(text, offset) })),
  };
}

/** The longest text that is searched for the place of its fault, in UTF-16 units. */
const faultLengthMax = 1_048_576;
/** How much of the text at the place is shown. */
const shownLengthMax = 24;

/**
 * What is wrong with a text that `JSON.parse` refuses: line, column, what is there, and what should be. It shows a few characters of
 * the text, so that it is only for who sent it.
 */
export function jsonFault(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const errors: ParseError[] = [];
  if (text.length <= faultLengthMax) parseTree(text, errors, { allowTrailingComma: false, disallowComments: true });
  const [error] = errors;
  if (error === undefined) return 'not valid JSON';
  const { line, column } = placeAt(text, error.offset);
  const rest = text.slice(error.offset, error.offset + shownLengthMax).split('\n')[0] ?? '';
  const found = rest.trim() === '' ? 'the end of the line' : JSON.stringify(rest);
  const reason = trailingComma.test(text.slice(0, error.offset)) ? 'a comma is not allowed here' : strictReason(error);
  return `line ${line}, column ${column}: found ${error.offset >= text.length ? 'the end' : found}; ${reason}`;
}

const trailingComma = /,\s*$/;

/** As {@link brokenReason}, for a text without the extensions that files may have. */
function strictReason(error: ParseError): string {
  const code = printParseErrorCode(error.error);
  return code === 'InvalidCommentToken' ? 'comments are not allowed here' : brokenReason(error, 'a body');
}

function placeAt(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

function keyOffset(root: Node, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, segments(root, path.slice(0, length)));
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent.offset : node.offset;
  }
  return root.offset;
}

/** The path with numbers for the items of lists, as the library needs it. */
function segments(root: Node, path: readonly string[]): (string | number)[] {
  const found: (string | number)[] = [];
  for (const part of path) {
    const isList = findNodeAtLocation(root, found)?.type === 'array';
    found.push(isList ? Number(part) : part);
  }
  return found;
}

function repeatedKeys(node: Node, path: readonly string[]): { path: string[]; offset: number }[] {
  const seen = new Set<string>();
  return (node.children ?? []).flatMap((child, at) => {
    const [key, value] = child.type === 'property' ? (child.children ?? []) : [undefined, child];
    const name = String(key?.value ?? at);
    const here = [...path, name];
    const isRepeated = key !== undefined && seen.has(name);
    seen.add(name);
    const inside = value === undefined ? [] : repeatedKeys(value, here);
    return isRepeated ? [{ path: here, offset: child.offset }, ...inside] : inside;
  });
}

function brokenReason(error: ParseError | undefined, text: string): string {
  switch (error === undefined ? 'ValueExpected' : printParseErrorCode(error.error)) {
    case 'CommaExpected':
      return 'a comma is missing before this place';
    case 'ColonExpected':
      return 'a colon is missing between the name and its value';
    case 'PropertyNameExpected':
      return 'a name in double quotes is missing';
    case 'CloseBraceExpected':
      return 'the closing } is missing';
    case 'CloseBracketExpected':
      return 'the closing ] is missing';
    case 'EndOfFileExpected':
      return 'there is text after the end of the object';
    case 'UnexpectedEndOfString':
      return 'a text does not end: its closing double quote is missing, or it has a line break';
    case 'UnexpectedEndOfComment':
      return 'a comment does not end: its closing */ is missing';
    case 'InvalidEscapeCharacter':
      return 'a backslash in a text must be written twice, as in "C:\\\\tools"';
    case 'InvalidSymbol':
    case 'ValueExpected':
      return text.trim() === ''
        ? 'the file is empty; write {}'
        : 'a value is missing or not in double quotes; text must be in double quotes';
    default:
      return 'not valid JSON';
  }
}
