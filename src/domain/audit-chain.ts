/**
 * The hash chain of the audit trail: pure functions from records to hashes and back to a verdict.
 * Knows no database and no clock.
 */
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import {
  type AuditEntry,
  type AuditRecord,
  type AuditVerdict,
  auditRecordSchema,
  type ChainHead,
  type StoredRecord,
} from '../shapes/audit.ts';

/** The head before the first record: number 0, 64 zeros. */
export const genesis: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** The record that follows `head`: numbered, linked and hashed. */
export function chainRecord(entry: AuditEntry, head: ChainHead): AuditRecord {
  const unhashed = { ...entry, seq: head.seq + 1, previous_hash: head.hash };
  return { ...unhashed, hash: recordHash(unhashed) };
}

/** SHA-256 (hex) of the canonical JSON (RFC 8785) of a record without its `hash`; `previous_hash` is part of it. */
export function recordHash(unhashed: Omit<AuditRecord, 'hash'>): string {
  return hash('sha256', canonicalize(unhashed) ?? '');
}

/** Why one stored record does not follow `head`, or the record if it does. */
export function checkRecord(stored: StoredRecord, head: ChainHead): AuditRecord | { reason: string } {
  const parsed = auditRecordSchema.safeParse(parsedJson(stored.body));
  if (!parsed.success) return { reason: 'the record is not a valid audit record' };
  const record = parsed.data;
  if (stored.seq !== record.seq) return { reason: `it is stored as number ${stored.seq} but says ${record.seq}` };
  if (record.seq !== head.seq + 1)
    return { reason: `number ${head.seq + 1} was expected: records were removed or inserted` };
  if (record.previous_hash !== head.hash) return { reason: 'it does not name the hash of the record before it' };
  const { hash: stated, ...unhashed } = record;
  if (recordHash(unhashed) !== stated) return { reason: 'its content does not have the hash it states' };
  return record;
}

/** Verifies pages of stored records, oldest first, from `anchor` on; stops at the first that does not hold. */
export async function verifyChain(
  pages: AsyncIterable<readonly StoredRecord[]>,
  anchor: ChainHead,
): Promise<AuditVerdict> {
  let head = anchor;
  let recordsChecked = 0;
  for await (const page of pages) {
    for (const stored of page) {
      const checked = checkRecord(stored, head);
      if ('reason' in checked) {
        return { intact: false, recordsChecked, firstBad: { seq: stored.seq, reason: checked.reason } };
      }
      head = { seq: checked.seq, hash: checked.hash };
      recordsChecked += 1;
    }
  }
  return {
    intact: true,
    recordsChecked,
    headHash: head.hash,
    ...(recordsChecked > 0 && { firstSeq: anchor.seq + 1, lastSeq: head.seq }),
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
