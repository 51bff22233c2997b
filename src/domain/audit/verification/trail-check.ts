/**
 * Verification of an audit trail, line by line in the format of an export.
 * It computes the RFC 6962 tree from the record lines, compares it with every checkpoint, and demands that checkpoints of a
 * trusted key cover all records. It trusts nothing else in the lines. A journal is verified through the same lines.
 */

import { z } from 'zod';
import { frontierLength, type GrowingTree, growTree, leafHash } from '../../../journal/merkle-tree.ts';
import { NoteError, type NoteVerifier, verifierOf } from '../../../journal/signed-note.ts';
import {
  type AuditExportHeader,
  auditExportCheckpointSchema,
  auditExportEndSchema,
  auditExportHeaderSchema,
  exportCheckpointType,
  exportEndType,
} from '../../../shapes/audit-log/export.ts';
import type { AuditVerdict, TrailFault } from '../../../shapes/audit-log/verdict.ts';
import { isJsonObject, parsedJson } from '../../../shapes/json.ts';
import { isCanonicalLine } from './canonical-line.ts';
import { type CheckpointNote, readCheckpointNote } from './checkpoint-note.ts';
import { createKeptCheckpoints, type KeptCheckpoints } from './kept-checkpoints.ts';
import { createKeyRing, type KeyRing, rotationEvent, type TrustedKey } from './key-ring.ts';
import { readRecordLine } from './record-check.ts';

/** What a trail is verified against. */
export interface TrailTrust {
  /** The keys of the reader. Without any, those of the header are used, which proves only that the lines are consistent. */
  keys?: readonly TrustedKey[] | undefined;
  /** Signed notes that were kept elsewhere. The trail must contain what each of them signs. */
  kept?: readonly string[] | undefined;
  /** Accepts records after the last checkpoint, which nothing proves. */
  allowUnsignedTail?: boolean | undefined;
}

/** A running verification. It takes lines in order and stops at the first fault. */
export interface TrailCheck {
  /** Checks one line without its newline. Returns false from the first fault on. */
  take(line: string): boolean;
  /** Checks that nothing is missing at the end, and returns the verdict. */
  end(): AuditVerdict;
}

/** The state of a verification after the header. */
interface CheckState {
  readonly header: AuditExportHeader;
  readonly tree: GrowingTree;
  readonly keys: KeyRing;
  readonly kept: KeptCheckpoints;
  /** The number of the last record. */
  seq: number;
  /** The size of the last checkpoint with the right root, whoever signed it. */
  lastSize: number;
  /** The last checkpoint that a trusted key signed. */
  trusted?: CheckpointNote;
  trustedCount: number;
  checkpointCount: number;
  /** Records of retention, and the first record that each says is kept. */
  readonly prunings: { seq: number; firstSeq: number }[];
  /** Checkpoints that only unknown keys signed: a key may become trusted later. */
  readonly unknown: CheckpointNote[];
  isEnded: boolean;
}

/** Starts a verification. */
export function createTrailCheck(trust: TrailTrust): TrailCheck {
  let state: CheckState | undefined;
  let fault: TrailFault | undefined;
  let lines = 0;
  return {
    take: (line) => {
      if (fault !== undefined) return false;
      lines += 1;
      if (state !== undefined) fault = lineFault(line, state);
      else {
        const begun = readHeader(line, trust);
        if ('reason' in begun) fault = begun;
        else state = begun;
      }
      return fault === undefined;
    },
    end: () => verdict(state, fault === undefined ? endFault(state, trust) : { ...fault, line: lines }),
  };
}

/** Verifies all lines up to the first fault. `recordsChecked` counts the records that were read until then. */
export async function verifyTrail(
  pages: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  trust: TrailTrust,
): Promise<AuditVerdict> {
  const check = createTrailCheck(trust);
  for await (const page of pages) {
    if (!page.every((line) => check.take(line))) break;
  }
  return check.end();
}

function readHeader(line: string, { keys = [], kept = [] }: TrailTrust): CheckState | TrailFault {
  const parsed = auditExportHeaderSchema.safeParse(parsedJson(line));
  if (!parsed.success) return { seq: 0, reason: 'the first line is not the header of an export of format 2' };
  const header = parsed.data;
  if (!isCanonicalLine(header, line)) return { seq: 0, reason: 'the bytes of the header are not canonical' };
  const size = header.first_seq - 1;
  if (header.frontier.length !== frontierLength(size))
    return { seq: size, reason: 'the frontier at its beginning does not have that size' };
  const verifiers = readKeys(header, keys);
  if ('reason' in verifiers) return verifiers;
  const checkpoints = createKeptCheckpoints(kept, header.origin);
  if ('reason' in checkpoints) return checkpoints;
  const tree = growTree({ size, frontier: header.frontier.map((root) => Buffer.from(root, 'base64')) });
  const begun = {
    header,
    tree,
    keys: createKeyRing(verifiers),
    kept: checkpoints,
    seq: size,
    lastSize: size,
    trustedCount: 0,
    checkpointCount: 0,
    prunings: [],
    unknown: [],
    isEnded: false,
  };
  return checkpoints.faultAt(tree) ?? begun;
}

/** The trusted keys: those of the reader, or those of the header if the reader has none. */
function readKeys({ origin, vkeys }: AuditExportHeader, keys: readonly TrustedKey[]): NoteVerifier[] | TrailFault {
  try {
    const own = vkeys.map(verifierOf);
    if (own.some(({ name }) => name !== origin)) return { seq: 0, reason: 'the header names a key of another log' };
    return keys.length === 0 ? own : keys.map((key) => key(origin));
  } catch (error) {
    if (error instanceof NoteError) return { seq: 0, reason: `the trail is the log ${origin}: ${error.message}` };
    throw error;
  }
}

function lineFault(line: string, state: CheckState): TrailFault | undefined {
  if (state.isEnded) return { seq: state.seq, reason: 'there are lines after the end' };
  // Canonical JSON begins with its first member in order: for a record agent_id. Only other lines are parsed here.
  const value = line.startsWith('{"agent_id"') ? undefined : parsedJson(line);
  const type = isJsonObject(value) ? value.type : undefined;
  if (type === exportCheckpointType) return checkpointLineFault(line, value, state);
  if (type === exportEndType) return endLineFault(line, value, state);
  return recordFault(line, state);
}

function recordFault(line: string, state: CheckState): TrailFault | undefined {
  const seq = state.seq + 1;
  const record = readRecordLine(line);
  if ('reason' in record) return { seq, reason: record.reason };
  if (record.seq > seq)
    return {
      seq,
      lastSeq: record.seq - 1,
      reason: `record ${record.seq} follows record ${state.seq}: records were removed`,
    };
  if (record.seq < seq) return { seq: record.seq, reason: `it follows record ${state.seq}: it was inserted or moved` };
  if (record.writerId !== state.header.writer_id) return { seq, reason: 'it is of another writer' };
  state.tree.append(leafHash(line));
  state.seq = seq;
  if (record.event === rotationEvent) state.keys.announce(line);
  if (record.event === pruningEvent) state.prunings.push({ seq, firstSeq: keptFirstSeq(line) });
  const fault = state.kept.faultAt(state.tree);
  return fault && { ...fault, seq: state.lastSize + 1, lastSeq: seq };
}

/** The event of a record that retention writes before it deletes records. */
const pruningEvent = 'AUDIT_PRUNED';
const pruningSchema = z.object({ fields: z.object({ first_seq: z.int() }) });

/** The first record that stays, as a record of retention states it; 0 where it states none. */
function keptFirstSeq(line: string): number {
  const parsed = pruningSchema.safeParse(parsedJson(line));
  return parsed.success ? parsed.data.fields.first_seq : 0;
}

/** Records before the first one are missing: a signed record must say that retention deleted them. */
function beginningFault({ header, prunings, trusted }: CheckState): TrailFault | undefined {
  const first = header.first_seq;
  const isAnnounced = prunings.some(({ seq, firstSeq }) => firstSeq >= first && seq <= (trusted?.size ?? 0));
  if (first === 1 || isAnnounced) return undefined;
  return {
    seq: 1,
    lastSeq: first - 1,
    reason: 'they are missing, and no signed record says that retention deleted them',
  };
}

function checkpointLineFault(line: string, value: unknown, state: CheckState): TrailFault | undefined {
  const parsed = auditExportCheckpointSchema.safeParse(value);
  if (!parsed.success || !isCanonicalLine(parsed.data, line))
    return { seq: state.seq, reason: 'the line is not a checkpoint in canonical form' };
  const { size, note } = parsed.data;
  if (size <= state.lastSize) return { seq: state.seq, checkpoint: size, reason: 'it comes again' };
  state.checkpointCount += 1;
  return noteFault(note, size, state);
}

/** Compares a checkpoint with the tree at its place, and notes who signed it. */
function noteFault(note: string, size: number, state: CheckState): TrailFault | undefined {
  const { seq, lastSize, tree, header, keys } = state;
  const at = (reason: string) => ({ seq, checkpoint: size, reason });
  const checkpoint = readCheckpointNote(note);
  if ('reason' in checkpoint) return at(checkpoint.reason);
  if (checkpoint.origin !== header.origin) return at(`it is of the log ${checkpoint.origin}, not ${header.origin}`);
  if (checkpoint.size !== size) return at(`its note states ${checkpoint.size} records`);
  if (size > seq)
    return at(`it covers record ${size}, but the records before it end with ${seq}: records were removed`);
  if (size < seq) return at(`it follows record ${seq}, but covers ${size} only`);
  if (!checkpoint.root.equals(tree.root()))
    return { seq: lastSize + 1, lastSeq: size, checkpoint: size, reason: 'these are not the records that it signs' };
  const signer = keys.signerOf(checkpoint.parsed);
  if (signer === 'invalid') return at('its signature is not valid');
  state.lastSize = size;
  if (signer === 'unknown') state.unknown.push(checkpoint);
  else {
    state.trusted = checkpoint;
    state.trustedCount += 1;
    keys.cover();
  }
  return undefined;
}

function endLineFault(line: string, value: unknown, state: CheckState): TrailFault | undefined {
  const { seq, header, checkpointCount } = state;
  const parsed = auditExportEndSchema.safeParse(value);
  if (!parsed.success || !isCanonicalLine(parsed.data, line))
    return { seq, reason: 'the last line is not an end in canonical form' };
  const { records, checkpoints, note } = parsed.data;
  const read = seq - header.first_seq + 1;
  if (records !== read || checkpoints !== checkpointCount)
    return {
      seq,
      reason: `the end counts ${records} records and ${checkpoints} checkpoints, but there are ${read} and ${checkpointCount}`,
    };
  state.isEnded = true;
  if (note === lastNote(state)) return undefined;
  return note === undefined ? { seq, reason: 'the end has no checkpoint' } : noteFault(note, seq, state);
}

/** The note of the last checkpoint, whoever signed it. */
function lastNote({ trusted, unknown }: CheckState): string | undefined {
  const last = unknown.at(-1);
  return (last?.size ?? 0) > (trusted?.size ?? 0) ? last?.note : trusted?.note;
}

/** Returns what is missing after the last line, if anything. */
function endFault(state: CheckState | undefined, { allowUnsignedTail = false }: TrailTrust): TrailFault | undefined {
  if (state === undefined) return { seq: 0, reason: 'there are no lines' };
  const { seq, header, keys, trusted } = state;
  const firstSeq = header.first_seq;
  const keptFault = state.kept.endFault({ firstSeq, lastSeq: seq, keys });
  if (keptFault !== undefined) return keptFault;
  if (!state.isEnded) return { seq, reason: 'the end of the export is missing: it was cut off' };
  if (seq < firstSeq) return { seq, reason: 'the trail has no records' };
  const foreign = state.unknown.find(({ parsed }) => keys.signerOf(parsed) !== 'trusted');
  if (foreign !== undefined)
    return { seq: foreign.size, checkpoint: foreign.size, reason: 'it has no signature of a trusted key' };
  if (trusted === undefined)
    return { seq: firstSeq, lastSeq: seq, reason: 'no checkpoint of a trusted key covers any record' };
  const stranger = header.vkeys.find((vkey) => !keys.vkeys().includes(vkey));
  if (stranger !== undefined)
    return {
      seq,
      reason: `the header names the key ${stranger}, which is neither trusted nor named by a signed rotation`,
    };
  const beginning = beginningFault(state);
  if (beginning !== undefined) return beginning;
  if (trusted.size < seq && !allowUnsignedTail)
    return {
      seq: trusted.size + 1,
      lastSeq: seq,
      reason: 'no checkpoint of a trusted key covers them: an unsigned tail proves nothing',
    };
  return undefined;
}

function verdict(state: CheckState | undefined, firstBad: TrailFault | undefined): AuditVerdict {
  const found = { intact: firstBad === undefined, ...(firstBad && { firstBad }) };
  if (state === undefined) return { ...found, recordsChecked: 0, checkpointsChecked: 0, recordsUncovered: 0 };
  const { header, seq, trusted, trustedCount, keys } = state;
  const firstSeq = header.first_seq;
  return {
    ...found,
    recordsChecked: seq - firstSeq + 1,
    checkpointsChecked: trustedCount,
    recordsUncovered: seq - Math.max(trusted?.size ?? 0, firstSeq - 1),
    origin: header.origin,
    vkeys: keys.vkeys(),
    ...(seq >= firstSeq && { firstSeq, lastSeq: seq }),
    ...(trusted && { note: trusted.note }),
  };
}
