/**
 * Reads an audit record from its line, and checks that the line is its canonical JSON (RFC 8785).
 * Almost all lines take a fast path that parses nothing: one expression over the line, whose members are in the order of
 * {@link recordLine}. A line that does not match is parsed, validated and compared with its canonical form.
 */

import { auditRecordSchema } from '../../../shapes/audit.ts';
import { parsedJson } from '../../../shapes/json.ts';
import { isCanonicalLine } from './canonical-line.ts';

/** What a verification reads of a record. */
export interface RecordHead {
  seq: number;
  event: string;
  writerId: string;
}

/**
 * Reads the record of a line, which is well-formed Unicode, as all text is that was read as UTF-8. Returns the reason where
 * the line is not a record in canonical form.
 */
export function readRecordLine(line: string): RecordHead | { reason: string } {
  return readCommonLine(line) ?? readAnyLine(line);
}

// The canonical form of text escapes only quotes, backslashes and control characters, in their shortest form.
const text = String.raw`"[^"\\\u0000-\u001f]*(?:\\(?:["\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))[^"\\\u0000-\u001f]*)*"`;
const word = '[A-Za-z][A-Za-z0-9_]*';
const number = String.raw`-?\d[\d.e+-]*`;
const digest = '"[0-9a-f]{64}"';
const field = `"${word}":(?:${text}|${number}|true|false)`;
const day = '(?:0[1-9]|1[0-9]|2[0-8])';
const date = String.raw`\d{4}-(?:(?:0[1-9]|1[0-2])-${day}|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)`;
const time = String.raw`"${date}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z"`;

/** Matches lines in the common form. Whether names are in order and numbers canonical is checked by field. */
const commonLine = new RegExp(
  [
    String.raw`^\{"agent_id":${text},(?:"arguments_digest":${digest},)?"event":"(${word})",`,
    String.raw`"fields":\{((?:${field}(?:,${field})*)?)\},"key_id":${text},`,
    '"kind":"(?:security|monitoring|tool_outcome|change)","namespace":',
    `${text},"outcome":"(?:success|error|timeout|abandoned)",(?:"record_id":${text},)?`,
    String.raw`(?:"result_digest":${digest},)?"seq":([1-9]\d{0,14}),"span_id":${text},"target":${text},`,
    String.raw`"time":${time},"trace_id":${text},"writer_id":(${text})\}$`,
  ].join(''),
);
const nextField = new RegExp(`"(${word})":(?:${text}|(${number})|true|false),?`, 'y');

function readCommonLine(line: string): RecordHead | undefined {
  // By index, because names and destructuring cost as much as the rest.
  const found = commonLine.exec(line);
  const [event, fields, seq, writer] = [found?.[1], found?.[2], found?.[3], found?.[4]];
  if (event === undefined || fields === undefined || writer === undefined) return undefined;
  if (writer.includes('\\') || !areCanonicalFields(fields)) return undefined;
  return { seq: Number(seq), event, writerId: writer.slice(1, -1) };
}

/** Reports whether names ascend and each number is written as JavaScript, and therefore RFC 8785, writes it. */
function areCanonicalFields(fields: string): boolean {
  let before = '';
  for (nextField.lastIndex = 0; nextField.lastIndex < fields.length; ) {
    const found = nextField.exec(fields);
    const [name, digits] = [found?.[1] ?? '', found?.[2]];
    if (name <= before || (digits !== undefined && String(Number(digits)) !== digits)) return false;
    before = name;
  }
  return true;
}

function readAnyLine(line: string): RecordHead | { reason: string } {
  const parsed = auditRecordSchema.safeParse(parsedJson(line));
  if (!parsed.success) return { reason: 'it is not a valid audit record' };
  if (!isCanonicalLine(parsed.data, line)) return { reason: 'its bytes are not the canonical form of its content' };
  const { seq, event, writer_id: writerId } = parsed.data;
  return { seq, event, writerId };
}
