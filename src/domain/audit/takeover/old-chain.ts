/**
 * Verifies the hash chain and the checkpoints of an old database's trail while it is taken over.
 * Taking over never repairs: a fault is reported, and the records are taken as they are.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { type GrowingTree, growTree, leafHash } from '../../../journal/merkle-tree.ts';
import {
  type ChainedAuditRecord,
  chainedAuditRecordSchema,
  digestSchema,
  type StoredRecord,
} from '../../../shapes/audit.ts';
import { parsedJson } from '../../../shapes/json.ts';

/** The first fault of the trail. */
export interface OldTrailFault {
  seq: number;
  reason: string;
}

/** The verification. It takes records and checkpoints in the order of the export. */
export interface OldChain {
  /** Checks the next record. Returns it, or undefined where it is not a record. */
  record(stored: StoredRecord): ChainedAuditRecord | undefined;
  checkpoint(body: string): void;
  /** The first fault so far. */
  fault(): OldTrailFault | undefined;
}

/** What a checkpoint of the old format states that is compared. */
const checkpointSchema = z.looseObject({
  last_seq: z.int(),
  head_hash: digestSchema,
  root_hash: digestSchema,
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

/** Starts after the anchor, with the frontier of the tree there. `signingKey` is the key of the hub. */
export function createOldChain(deps: {
  anchor: { seq: number; hash: string };
  frontier: readonly string[];
  signingKey: KeyObject;
}): OldChain {
  const publicKey = createPublicKey(deps.signingKey);
  const head = { ...deps.anchor };
  const tree = growTree({ size: head.seq, frontier: deps.frontier.map((node) => Buffer.from(node, 'hex')) });
  let fault: OldTrailFault | undefined;
  const report = (seq: number, reason: string | undefined) => {
    if (reason !== undefined) fault ??= { seq, reason };
  };
  return {
    record: ({ seq, body }) => {
      const parsed = chainedAuditRecordSchema.safeParse(parsedJson(body));
      report(seq, parsed.success ? recordFault(parsed.data, body, head) : 'it is not a valid audit record');
      head.seq = seq;
      if (parsed.success) head.hash = parsed.data.hash;
      tree.append(leafHash(body));
      return parsed.success ? parsed.data : undefined;
    },
    checkpoint: (body) => report(head.seq, checkpointFault(body, { head, tree, publicKey })),
    fault: () => fault,
  };
}

/** The hash covers the canonical text without the member `hash`. It stands in the text as it is, since `body` is canonical. */
function recordFault(
  record: ChainedAuditRecord,
  body: string,
  head: { seq: number; hash: string },
): string | undefined {
  if (record.seq !== head.seq + 1) return `number ${head.seq + 1} was expected`;
  if (record.previous_hash !== head.hash) return 'it does not name the hash of the record before it';
  const member = `"hash":"${record.hash}",`;
  const at = body.lastIndexOf(member);
  const unhashed = body.slice(0, at) + body.slice(at + member.length);
  return at !== -1 && hash('sha256', unhashed) === record.hash
    ? undefined
    : 'its content does not have the hash it states';
}

function checkpointFault(
  body: string,
  { head, tree, publicKey }: { head: { seq: number; hash: string }; tree: GrowingTree; publicKey: KeyObject },
): string | undefined {
  const parsed = checkpointSchema.safeParse(parsedJson(body));
  if (!parsed.success) return 'the checkpoint after it is not valid';
  const { signature, ...signed } = parsed.data;
  const bytes = Buffer.from(canonicalize(signed) ?? '', 'utf8');
  if (!verify(null, bytes, publicKey, Buffer.from(signature, 'hex')))
    return 'the signature of the checkpoint after it is not valid';
  const { last_seq: lastSeq, head_hash: headHash, root_hash: rootHash } = signed;
  const isSame = lastSeq === head.seq && headHash === head.hash && rootHash === tree.root().toString('hex');
  return isSame ? undefined : 'the checkpoint after it signs other records';
}
