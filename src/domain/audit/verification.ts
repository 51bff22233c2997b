/**
 * Verification of a trail, line by line, as an export has them: header, records, each checkpoint behind its last record, end.
 * Trusts the public key it is given and nothing else. The live database is read as the same lines.
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

/** What a trail is held against. */
export interface TrailTrust {
  /** The key that the reader trusts; without one, the header's own, which proves only that the file agrees with itself. */
  publicKey?: VerifyingKey | undefined;
  /** Checkpoints that were kept elsewhere: the trail must hold each, byte for byte. */
  checkpoints?: readonly AuditCheckpoint[] | undefined;
}

/** A verification under way. Feed it lines in order; after the first fault it takes no more. */
export interface TrailCheck {
  /** Takes one line without its newline; answers false once the trail does not hold. */
  take(line: string): boolean;
  /** Ends it where no line is left, and answers what was found. */
  end(): AuditVerdict;
  /** Where it stands: the number of the last record that holds. */
  position(): number;
}

/** Why a trail does not hold, and where. */
interface Fault {
  seq: number;
  checkpoint?: number;
  reason: string;
}

/** Where a verification stands once its header was taken. */
interface Standing {
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

/** Begins a verification. */
export function createTrailCheck(trust: TrailTrust): TrailCheck {
  let standing: Standing | undefined;
  let fault: Fault | undefined;
  let lines = 0;
  return {
    take: (line) => {
      if (fault !== undefined) return false;
      lines += 1;
      const step = standing === undefined ? takeHeader(line, trust) : takeLine(line, standing, trust);
      if ('reason' in step) fault = step;
      else standing = step;
      return fault === undefined;
    },
    position: () => standing?.head.seq ?? 0,
    end: () => {
      const found = fault ?? endFault(standing, trust);
      return verdict(standing, found && { ...found, ...(fault !== undefined && { line: lines }) });
    },
  };
}

/** Verifies all lines. `recordsChecked` counts those that hold. */
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

function takeHeader(line: string, { publicKey, checkpoints }: TrailTrust): Standing | Fault {
  const parsed = auditExportHeaderSchema.safeParse(parsedJson(line));
  if (!parsed.success) return { seq: 0, reason: 'the first line is not the header of an export' };
  const header = parsed.data;
  if (canonicalize(header) !== line) return { seq: 0, reason: 'the bytes of the header are not canonical' };
  const key = publicKey ?? headerKey(header);
  if (key === undefined || canonicalize(header.key) !== canonicalize(auditKey(key.publicKey)))
    return { seq: header.anchor.seq, reason: 'the header names another key than the one to verify with' };
  const { anchor } = header;
  const reason = anchorFault(header, key, checkpoints ?? []);
  if (reason !== undefined) return { seq: anchor.seq, ...named(anchor.checkpoint?.number), reason };
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

/** Why a trail may not begin there: only a signed checkpoint may stand for what was pruned. */
function anchorFault(
  { anchor, writer_id: writerId }: AuditExportHeader,
  key: VerifyingKey,
  outside: readonly AuditCheckpoint[],
): string | undefined {
  const { seq, hash, frontier, checkpoint } = anchor;
  if (frontier.length !== frontierLength(seq)) return 'the frontier where it begins is not of that size';
  if (seq === 0) {
    if (checkpoint !== undefined || hash !== genesis.hash) return 'it begins with record 1 and claims a past';
    return undefined;
  }
  if (checkpoint === undefined) return 'it does not begin with record 1, and no checkpoint stands for what was pruned';
  if (checkpoint.last_seq !== seq || checkpoint.head_hash !== hash || checkpoint.writer_id !== writerId)
    return 'the checkpoint that stands for what was pruned is of another place';
  if (frontierRoot(frontier) !== checkpoint.root_hash)
    return 'the frontier where it begins does not have the signed root';
  return signatureFault(checkpoint, key) ?? outsideFault(checkpoint, outside);
}

function takeLine(line: string, standing: Standing, trust: TrailTrust): Standing | Fault {
  if (standing.ended) return { seq: standing.head.seq, reason: 'there are lines behind the end' };
  // Canonical bytes begin with the first key in order: a record's with agent_id, so this never takes a record for another line.
  const value = line.startsWith('{"agent_id"') ? undefined : parsedJson(line);
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (type === checkpointType) return takeCheckpoint(line, standing, trust.checkpoints ?? []);
  const end = auditExportEndSchema.safeParse(value);
  if (end.success) return takeEnd(end.data, standing);
  const checked = checkRecord(line, standing.head, standing.writerId);
  if ('reason' in checked) return checked;
  standing.tree.append(leafHash(line));
  const { seq, hash } = checked.record;
  return { ...standing, head: { seq, hash }, recordsChecked: standing.recordsChecked + 1 };
}

function takeCheckpoint(line: string, standing: Standing, outside: readonly AuditCheckpoint[]): Standing | Fault {
  const { head, lastCheckpoint } = standing;
  const checkpoint = parseCheckpoint(line);
  if ('reason' in checkpoint)
    return { seq: head.seq, checkpoint: lastCheckpoint.number + 1, reason: checkpoint.reason };
  const reason =
    placeFault(checkpoint, standing) ?? signatureFault(checkpoint, standing.key) ?? outsideFault(checkpoint, outside);
  if (reason !== undefined) return { seq: head.seq, checkpoint: checkpoint.number, reason };
  return {
    ...standing,
    lastCheckpoint: checkpointHead({ checkpoint, body: line }),
    checkpointsChecked: standing.checkpointsChecked + 1,
  };
}

function placeFault(
  checkpoint: AuditCheckpoint,
  { writerId, head, tree, lastCheckpoint }: Standing,
): string | undefined {
  const { number, first_seq: first, last_seq: last } = checkpoint;
  if (number !== lastCheckpoint.number + 1)
    return `number ${lastCheckpoint.number + 1} was expected: checkpoints were removed or inserted`;
  if (checkpoint.writer_id !== writerId) return 'it is of another writer';
  if (checkpoint.previous_hash !== lastCheckpoint.hash) return 'it does not name the hash of the checkpoint before it';
  if (first !== lastCheckpoint.lastSeq + 1)
    return `it begins with record ${first} instead of ${lastCheckpoint.lastSeq + 1}`;
  if (last > head.seq) return `it covers record ${last}, and the records end with ${head.seq}: some were removed`;
  if (last < head.seq) return `it stands behind record ${head.seq} and covers ${last} only`;
  if (checkpoint.head_hash !== head.hash || checkpoint.root_hash !== tree.root())
    return `records ${first} to ${last} are not those it was signed over`;
  return undefined;
}

/** A checkpoint that was kept elsewhere under the same number must be the very same. */
function outsideFault(checkpoint: AuditCheckpoint, outside: readonly AuditCheckpoint[]): string | undefined {
  const kept = outside.find(({ number }) => number === checkpoint.number);
  if (kept === undefined || canonicalize(kept) === canonicalize(checkpoint)) return undefined;
  return 'it differs from the checkpoint of this number that was kept elsewhere';
}

function takeEnd(end: { records: number; checkpoints: number }, standing: Standing): Standing | Fault {
  if (end.records !== standing.recordsChecked || end.checkpoints !== standing.checkpointsChecked)
    return {
      seq: standing.head.seq,
      reason: `the end counts ${end.records} records and ${end.checkpoints} checkpoints, and there are ${standing.recordsChecked} and ${standing.checkpointsChecked}`,
    };
  return { ...standing, ended: true };
}

/** What is missing once all lines are read. */
function endFault(standing: Standing | undefined, { checkpoints = [] }: TrailTrust): Fault | undefined {
  if (standing === undefined) return { seq: 0, reason: 'there is no line at all' };
  const { head, lastCheckpoint, anchor } = standing;
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
      reason: `checkpoint ${before.number} covers records that were pruned: nothing is left to hold it against`,
    };
  if (!standing.ended) return { seq: head.seq, reason: 'the end of the export is missing: the file was cut off' };
  return undefined;
}

function verdict(standing: Standing | undefined, firstBad: (Fault & { line?: number }) | undefined): AuditVerdict {
  const { recordsChecked = 0, checkpointsChecked = 0, head = genesis, lastCheckpoint = noCheckpoint } = standing ?? {};
  return {
    intact: firstBad === undefined,
    recordsChecked,
    checkpointsChecked,
    recordsUncovered: head.seq - lastCheckpoint.lastSeq,
    headHash: head.hash,
    ...(standing && { keyId: standing.key.keyId }),
    ...(standing && recordsChecked > 0 && { firstSeq: standing.anchor.seq + 1, lastSeq: head.seq }),
    ...(firstBad && { firstBad }),
  };
}

function named(checkpoint: number | undefined): { checkpoint?: number } {
  return checkpoint === undefined ? {} : { checkpoint };
}
