/**
 * The export of an old database's trail, in version 1 of the format.
 * It is read in parts, in the order of verification. The export verifies with the command of the version that wrote the database.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { StoredRecord } from '../../../shapes/audit.ts';
import { parsedJson } from '../../../shapes/json.ts';
import type { OldCheckpoint, OldTrail } from '../../../stores/old-trail/old-trail.ts';

/** A part of the export: its lines, and what they are made of. */
export type OldExportPart =
  | { kind: 'header' | 'end'; lines: string[] }
  | { kind: 'records'; lines: string[]; records: StoredRecord[] }
  | { kind: 'checkpoint'; lines: string[]; body: string };

/** Records read at once. */
const pageSize = 500;

/** Reads the export: header, the records with each checkpoint after its last record, and the end. */
export function* oldExport(trail: OldTrail, signingKey: KeyObject): Generator<OldExportPart> {
  const counted = { records: 0, checkpoints: 0 };
  const anchorCheckpoint = anchorOf(trail);
  yield { kind: 'header', lines: [headerLine(trail, { signingKey, anchorCheckpoint })] };
  let position = trail.anchor.seq;
  for (const checkpoint of checkpointsAfter(trail, anchorCheckpoint?.number ?? 0)) {
    for (const records of recordPages(trail, { after: position, until: checkpoint.lastSeq })) {
      counted.records += records.length;
      yield recordsPart(records);
    }
    position = Math.max(position, checkpoint.lastSeq);
    counted.checkpoints += 1;
    yield { kind: 'checkpoint', lines: [checkpoint.body], body: checkpoint.body };
  }
  for (const records of recordPages(trail, { after: position, until: Number.MAX_SAFE_INTEGER })) {
    counted.records += records.length;
    yield recordsPart(records);
  }
  yield { kind: 'end', lines: [canonicalize({ type: 'hestia.audit.end/1', ...counted }) ?? ''] };
}

/** The checkpoint over the pruned records; undefined where none were pruned. */
export function anchorOf({ anchor, checkpointAt }: OldTrail): OldCheckpoint | undefined {
  return anchor.seq === 0 ? undefined : checkpointAt(anchor.seq);
}

/** The public half of the key that signed the old checkpoints, as PEM. */
export function publicPem(signingKey: KeyObject): string {
  return createPublicKey(signingKey).export({ type: 'spki', format: 'pem' }).toString();
}

function headerLine(
  { writerId, anchor }: OldTrail,
  { signingKey, anchorCheckpoint }: { signingKey: KeyObject; anchorCheckpoint: OldCheckpoint | undefined },
): string {
  const der = createPublicKey(signingKey).export({ type: 'spki', format: 'der' });
  const header = {
    type: 'hestia.audit.export/1',
    writer_id: writerId,
    key: {
      key_id: createHash('sha256').update(der).digest('hex'),
      algorithm: 'Ed25519',
      public_key: publicPem(signingKey),
    },
    anchor: {
      ...anchor,
      frontier: anchorCheckpoint?.frontier ?? [],
      ...(anchorCheckpoint && { checkpoint: parsedJson(anchorCheckpoint.body) }),
    },
  };
  return canonicalize(header) ?? '';
}

function recordsPart(records: StoredRecord[]): OldExportPart {
  return { kind: 'records', lines: records.map(({ body }) => body), records };
}

function* checkpointsAfter(trail: OldTrail, after: number): Generator<OldCheckpoint> {
  for (let page = trail.checkpoints({ after, limit: pageSize }); page.length > 0; ) {
    yield* page;
    page = trail.checkpoints({ after: page.at(-1)?.number ?? 0, limit: pageSize });
  }
}

function* recordPages(trail: OldTrail, { after, until }: { after: number; until: number }): Generator<StoredRecord[]> {
  for (let position = after; position < until; ) {
    const limit = Math.min(pageSize, until - position);
    const page = trail.records({ after: position, limit }).filter(({ seq }) => seq <= until);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    position = last.seq;
  }
}
