/**
 * Verification of an audit trail, line by line in the format of an export. It checks the hash chain, the checkpoints and
 * their signatures, and trusts nothing but the public key it is given. The live trail is verified through the same lines.
 */
import canonicalize from 'canonicalize';
import type { AuditVerdict, ChainHead } from '../../shapes/audit.ts';
import {
  type AuditAnchor,
  type AuditCheckpoint,
  type AuditExportHeader,
  auditExportEndSchema,
  auditExportHeaderSchema,
  checkpointType,
} from '../../shapes/audit-checkpoint.ts';
import { parsedJson } from '../../shapes/json.ts';
import { checkRecord, genesis } from './chain.ts';
import {
  auditKey,
  type CheckpointHead,
  checkpointHead,
  noCheckpoint,
  parseCheckpoint,
  signatureFault,
  type VerifyingKey,
  verifyingKey,
} from './checkpoint.ts';
import { frontierLength, frontierRoot, type GrowingTree, growTree, leafHash } from './merkle-tree.ts';

/** What a trail is verified against. */
export interface TrailTrust {
  /** The key that the reader trusts. Without one the header's key is used, which proves only that the file is consistent. */
  publicKey?: VerifyingKey | undefined;
  /** Checkpoints that were stored elsewhere. The trail must contain each of them unchanged. */
  checkpoints?: readonly AuditCheckpoint[] | undefined;
}

/** A running verification. It takes lines in order and stops at the first fault. */
export interface TrailCheck {
  /** Checks one line without its newline. Returns false from the first fault on. */
  take(line: string): boolean;
  /** Checks that nothing is missing at the end, and returns the verdict. */
  end(): AuditVerdict;
  /** The number of the last record that verified. */
  position(): number;
}

/** The first fault: where it is, and the reason. */
interface Fault {
  seq: number;
  checkpoint?: number;
  reason: string;
}

/** The state of a verification after the header. */
interface VerificationState {
  writerId: string;
  key: VerifyingKey;
  anchor: AuditAnchor;
  head: ChainHead;
  tree: GrowingTree;
  lastCheckpoint: CheckpointHead;
  recordsChecked: number;
  checkpointsChecked: number;
  ended: boolean;
}

/** Starts a verification. */
export function createTrailCheck(trust: TrailTrust): TrailCheck {
  let state: VerificationState | undefined;
  let fault: Fault | undefined;
  let lines = 0;
  return {
    take: (line) => {
      if (fault !== undefined) return false;
      lines += 1;
      const step = state === undefined ? takeHeader(line, trust) : takeLine(line, state, trust);
      if ('reason' in step) fault = step;
      else state = step;
      return fault === undefined;
    },
    position: () => state?.head.seq ?? 0,
    end: () => {
      const found = fault ?? endFault(state, trust);
      return verdict(state, found && { ...found, ...(fault !== undefined && { line: lines }) });
    },
  };
}

/** Verifies all lines up to the first fault. `recordsChecked` counts the records that verified. */
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

function takeHeader(line: string, { publicKey, checkpoints }: TrailTrust): VerificationState | Fault {
  const parsed = auditExportHeaderSchema.safeParse(parsedJson(line));
  if (!parsed.success) return { seq: 0, reason: 'the first line is not the header of an export' };
  const header = parsed.data;
  if (canonicalize(header) !== line) return { seq: 0, reason: 'the bytes of the header are not canonical' };
  const key = publicKey ?? headerKey(header);
  if (key === undefined || canonicalize(header.key) !== canonicalize(auditKey(key.publicKey)))
    return { seq: header.anchor.seq, reason: 'the header names another key than the one it is verified with' };
  const { anchor } = header;
  const reason = anchorFault(header, key, checkpoints ?? []);
  if (reason !== undefined) return { seq: anchor.seq, ...checkpointField(anchor.checkpoint?.number), reason };
  return {
    writerId: header.writer_id,
    key,
    anchor,
    head: anchor.seq === 0 ? genesis : { seq: anchor.seq, hash: anchor.hash },
    tree: growTree({ size: anchor.seq, frontier: anchor.frontier }),
    lastCheckpoint: anchorHead(anchor),
    recordsChecked: 0,
    checkpointsChecked: 0,
    ended: false,
  };
}

function headerKey({ key }: AuditExportHeader): VerifyingKey | undefined {
  try {
    return verifyingKey(key.public_key);
  } catch {
    return undefined;
  }
}

function anchorHead({ checkpoint }: AuditAnchor): CheckpointHead {
  return checkpoint === undefined ? noCheckpoint : checkpointHead({ checkpoint, body: canonicalize(checkpoint) ?? '' });
}

/** Checks where the trail begins: pruned records must be covered by a signed checkpoint. Returns the fault, if any. */
function anchorFault(
  { anchor, writer_id: writerId }: AuditExportHeader,
  key: VerifyingKey,
  outside: readonly AuditCheckpoint[],
): string | undefined {
  const { seq, hash, frontier, checkpoint } = anchor;
  if (frontier.length !== frontierLength(seq)) return 'the frontier at its beginning does not have that size';
  if (seq === 0) {
    if (checkpoint !== undefined || hash !== genesis.hash)
      return 'it begins with record 1, yet names records before it';
    return undefined;
  }
  if (checkpoint === undefined) return 'it does not begin with record 1, and no checkpoint covers the pruned records';
  if (checkpoint.last_seq !== seq || checkpoint.head_hash !== hash || checkpoint.writer_id !== writerId)
    return 'the checkpoint over the pruned records belongs to another place';
  if (frontierRoot(frontier) !== checkpoint.root_hash)
    return 'the frontier at its beginning does not have the signed root';
  return signatureFault(checkpoint, key) ?? outsideFault(checkpoint, outside);
}

function takeLine(line: string, state: VerificationState, trust: TrailTrust): VerificationState | Fault {
  if (state.ended) return { seq: state.head.seq, reason: 'there are lines after the end' };
  // Canonical JSON begins with its first key in order, for a record agent_id: only other lines need to be parsed here.
  const value = line.startsWith('{"agent_id"') ? undefined : parsedJson(line);
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (type === checkpointType) return takeCheckpoint(line, state, trust.checkpoints ?? []);
  const end = auditExportEndSchema.safeParse(value);
  if (end.success) return takeEnd(end.data, state);
  const checked = checkRecord(line, state.head, state.writerId);
  if ('reason' in checked) return checked;
  state.tree.append(leafHash(line));
  const { seq, hash } = checked.record;
  return { ...state, head: { seq, hash }, recordsChecked: state.recordsChecked + 1 };
}

function takeCheckpoint(
  line: string,
  state: VerificationState,
  outside: readonly AuditCheckpoint[],
): VerificationState | Fault {
  const { head, lastCheckpoint } = state;
  const checkpoint = parseCheckpoint(line);
  if ('reason' in checkpoint)
    return { seq: head.seq, checkpoint: lastCheckpoint.number + 1, reason: checkpoint.reason };
  const reason =
    placeFault(checkpoint, state) ?? signatureFault(checkpoint, state.key) ?? outsideFault(checkpoint, outside);
  if (reason !== undefined) return { seq: head.seq, checkpoint: checkpoint.number, reason };
  return {
    ...state,
    lastCheckpoint: checkpointHead({ checkpoint, body: line }),
    checkpointsChecked: state.checkpointsChecked + 1,
  };
}

function placeFault(
  checkpoint: AuditCheckpoint,
  { writerId, head, tree, lastCheckpoint }: VerificationState,
): string | undefined {
  const { number, first_seq: first, last_seq: last } = checkpoint;
  if (number !== lastCheckpoint.number + 1)
    return `number ${lastCheckpoint.number + 1} was expected: checkpoints were removed or inserted`;
  if (checkpoint.writer_id !== writerId) return 'it belongs to another writer';
  if (checkpoint.previous_hash !== lastCheckpoint.hash) return 'it does not name the hash of the checkpoint before it';
  if (first !== lastCheckpoint.lastSeq + 1)
    return `it begins with record ${first} instead of ${lastCheckpoint.lastSeq + 1}`;
  if (last > head.seq) return `it covers record ${last}, but the records end with ${head.seq}: some were removed`;
  if (last < head.seq) return `it follows record ${head.seq} but covers ${last} only`;
  if (checkpoint.head_hash !== head.hash || checkpoint.root_hash !== tree.root())
    return `records ${first} to ${last} are not the records that it signs`;
  return undefined;
}

/** A checkpoint with the same number that was stored elsewhere must be identical. */
function outsideFault(checkpoint: AuditCheckpoint, outside: readonly AuditCheckpoint[]): string | undefined {
  const kept = outside.find(({ number }) => number === checkpoint.number);
  if (kept === undefined || canonicalize(kept) === canonicalize(checkpoint)) return undefined;
  return 'it differs from the checkpoint of this number that was kept elsewhere';
}

function takeEnd(end: { records: number; checkpoints: number }, state: VerificationState): VerificationState | Fault {
  if (end.records !== state.recordsChecked || end.checkpoints !== state.checkpointsChecked)
    return {
      seq: state.head.seq,
      reason: `the end counts ${end.records} records and ${end.checkpoints} checkpoints, but there are ${state.recordsChecked} and ${state.checkpointsChecked}`,
    };
  return { ...state, ended: true };
}

/** Returns what is missing after the last line, if anything. */
function endFault(state: VerificationState | undefined, { checkpoints = [] }: TrailTrust): Fault | undefined {
  if (state === undefined) return { seq: 0, reason: 'there are no lines' };
  const { head, lastCheckpoint, anchor } = state;
  const last = checkpoints.toSorted((left, right) => left.number - right.number).at(-1);
  if (last !== undefined && last.number > lastCheckpoint.number)
    return {
      seq: head.seq,
      checkpoint: last.number,
      reason: `the trail ends with checkpoint ${lastCheckpoint.number} at record ${head.seq}, and checkpoint ${last.number} of ${last.time} covers record ${last.last_seq}: the end was cut off, or it was read before that time`,
    };
  const before = checkpoints.find(({ number }) => number < (anchor.checkpoint?.number ?? 1));
  if (before !== undefined)
    return {
      seq: anchor.seq,
      checkpoint: before.number,
      reason: `checkpoint ${before.number} covers records that were pruned: there is nothing left to verify it against`,
    };
  if (!state.ended) return { seq: head.seq, reason: 'the end of the export is missing: the file was cut off' };
  return undefined;
}

function verdict(
  state: VerificationState | undefined,
  firstBad: (Fault & { line?: number }) | undefined,
): AuditVerdict {
  const { recordsChecked = 0, checkpointsChecked = 0, head = genesis, lastCheckpoint = noCheckpoint } = state ?? {};
  return {
    intact: firstBad === undefined,
    recordsChecked,
    checkpointsChecked,
    recordsUncovered: head.seq - lastCheckpoint.lastSeq,
    headHash: head.hash,
    ...(state && { keyId: state.key.keyId }),
    ...(state && recordsChecked > 0 && { firstSeq: state.anchor.seq + 1, lastSeq: head.seq }),
    ...(firstBad && { firstBad }),
  };
}

function checkpointField(checkpoint: number | undefined): { checkpoint?: number } {
  return checkpoint === undefined ? {} : { checkpoint };
}
