/**
 * The line of an audit record in the journal: canonical JSON (RFC 8785) of at most 65,535 bytes.
 * Keys are inserted in sorted order, so that `JSON.stringify` writes the canonical form of well-formed text and finite numbers.
 */
import type { AuditEntry } from '../shapes/audit.ts';

/** The most bytes of a line. Entries of the C2SP tlog-tiles layout have a length of 16 bits. */
export const recordBytesMax = 65_535;

/** The longest text to which the texts of an entry are cut, in UTF-16 units, tried in this order until the line fits. */
const textLengthsMax = [16_384, 4096, 1024, 256, 64];

/** Texts of this length together always fit: JSON writes at most 6 bytes for a unit, and all else is bounded. */
const shortTextLengthMax = 8192;

/** The line of the record with the number `seq`, without the newline. Deterministic: the same entry has the same bytes. */
export function recordLine(entry: AuditEntry, seq: number): string {
  // The order of keys is the order of the members in RFC 8785, section 3.2.3; undefined members are left out.
  return JSON.stringify({
    agent_id: entry.agent_id,
    arguments_digest: entry.arguments_digest,
    event: entry.event,
    fields: sorted(entry.fields),
    imported: entry.imported && { hash: entry.imported.hash, seq: entry.imported.seq },
    key_id: entry.key_id,
    kind: entry.kind,
    namespace: entry.namespace,
    outcome: entry.outcome,
    record_id: entry.record_id,
    result_digest: entry.result_digest,
    seq,
    span_id: entry.span_id,
    target: entry.target,
    time: entry.time,
    trace_id: entry.trace_id,
    writer_id: entry.writer_id,
  });
}

/**
 * The entry as it fits into a line with any number. The target and the text fields of a longer one are cut to a common length,
 * and each cut text ends with the number of characters that it had.
 */
export function fittingEntry(entry: AuditEntry): AuditEntry {
  if (fits(entry)) return entry;
  for (const lengthMax of textLengthsMax) {
    const cut = { ...entry, target: cutText(entry.target, lengthMax), fields: cutFields(entry.fields, lengthMax) };
    if (fits(cut)) return cut;
  }
  return { ...entry, target: cutText(entry.target, 64), fields: { cut_fields: Object.keys(entry.fields).length } };
}

function fits(entry: AuditEntry): boolean {
  if (textLength(entry) <= shortTextLengthMax) return true;
  const line = recordLine(entry, Number.MAX_SAFE_INTEGER);
  return line.length * 3 <= recordBytesMax || Buffer.byteLength(line) <= recordBytesMax;
}

/** The length of the texts that are not bounded elsewhere, in UTF-16 units. */
function textLength({ target, fields }: AuditEntry): number {
  let length = target.length;
  for (const [key, value] of Object.entries(fields))
    length += key.length + (typeof value === 'string' ? value.length : 24);
  return length;
}

function cutFields(fields: AuditEntry['fields'], lengthMax: number): AuditEntry['fields'] {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? cutText(value, lengthMax) : value]),
  );
}

function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const kept = text.slice(0, lengthMax);
  return `${kept.isWellFormed() ? kept : kept.slice(0, -1)}… [cut, ${text.length} characters]`;
}

function sorted(fields: AuditEntry['fields']): AuditEntry['fields'] {
  const names = Object.keys(fields);
  if (names.every((name, at) => at === 0 || (names[at - 1] ?? '') < name)) return fields;
  return Object.fromEntries(names.sort().map((name) => [name, fields[name] ?? '']));
}
