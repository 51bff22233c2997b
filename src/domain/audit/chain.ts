/**
 * The hash chain of the audit trail: links new records to it and checks stored records. Pure functions that use no
 * database and no clock.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import {
  type AuditEntry,
  type ChainedAuditRecord,
  type ChainedRecord,
  type ChainHead,
  chainedAuditRecordSchema,
} from '../../shapes/audit.ts';
import { parsedJson } from '../../shapes/json.ts';

/** The previous hash of the first record and of the first checkpoint: 64 zeros. */
export const noHash = '0'.repeat(64);

/** The head of an empty chain. */
export const genesis: ChainHead = { seq: 0, hash: noHash };

/**
 * Numbers, links and hashes the record that follows `head`.
 * @returns the record and its canonical JSON (RFC 8785)
 * @throws Error where a text of `entry` is not well-formed Unicode, which has no canonical bytes
 */
export function chainRecord(entry: AuditEntry, head: ChainHead): ChainedRecord {
  const unhashed = { ...entry, seq: head.seq + 1, previous_hash: head.hash };
  const { before, after } = canonicalHalves(unhashed);
  const stated = hash('sha256', `${before},${after}`);
  return { record: { ...unhashed, hash: stated }, body: `${before},"hash":"${stated}",${after}` };
}

/**
 * Checks a stored record: its form, number, writer, link to `head`, hash and canonical bytes.
 * @returns the record, or its number and the reason why it does not follow `head`
 */
export function checkRecord(
  body: string,
  head: ChainHead,
  writerId: string,
): { record: ChainedAuditRecord } | { seq: number; reason: string } {
  const parsed = chainedAuditRecordSchema.safeParse(parsedJson(body));
  if (!parsed.success) return { seq: head.seq + 1, reason: 'it is not a valid audit record' };
  const record = parsed.data;
  const { seq, hash: stated, ...rest } = record;
  const fault = (reason: string) => ({ seq, reason });
  if (seq !== head.seq + 1) return fault(`number ${head.seq + 1} was expected: records were removed or inserted`);
  if (record.writer_id !== writerId) return fault('it belongs to another writer');
  if (record.previous_hash !== head.hash)
    return fault('it does not name the hash of the record before it: one of the two was changed');
  const { before, after } = canonicalHalves({ ...rest, seq });
  if (hash('sha256', `${before},${after}`) !== stated) return fault('its content does not have the hash it states');
  if (body !== `${before},"hash":"${stated}",${after}`)
    return fault('its bytes are not the canonical form of its content');
  return { record };
}

/**
 * The canonical JSON of a record without its `hash`, split where `hash` belongs in the order of keys (RFC 8785, section 3.2.3).
 * One pass thus yields both the bytes that are hashed and the bytes that are stored.
 */
function canonicalHalves(unhashed: Omit<ChainedAuditRecord, 'hash'>): { before: string; after: string } {
  const { agent_id, arguments_digest, event, fields, ...others } = unhashed;
  const before = canonicalize({ agent_id, arguments_digest, event, fields }) ?? '';
  const after = canonicalize(others) ?? '';
  return { before: before.slice(0, -1), after: after.slice(1) };
}
