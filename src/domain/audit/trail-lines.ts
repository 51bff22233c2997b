/**
 * The lines of an audit export, as canonical JSON, read from the stores page by page. A header comes first, then the records
 * with each checkpoint after its last record, then the end line. Verification of the live trail reads the same lines.
 */
import { setImmediate } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import type { AuditAnchor, AuditExportEnd, AuditExportHeader, AuditKey } from '../../shapes/audit-checkpoint.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { AuditCheckpointStore, StoredCheckpoint } from '../../stores/audit-checkpoint-store.ts';
import type { AuditStore } from '../../stores/audit-store.ts';
import { parseCheckpoint } from './checkpoint.ts';

/** The stores that the lines are read from, and the public key for the header. */
export interface TrailSources {
  auditStore: AuditStore;
  checkpointStore: AuditCheckpointStore;
  key: AuditKey;
}

/** Rows read at once. Hashing a page takes a few milliseconds; calls run between two pages. */
const pageSize = 100;

/**
 * Reads all lines up to the present head. Records that are written meanwhile are not included.
 * @throws HestiaError CONFLICT where records were pruned while they were read; STORAGE_FAILED
 */
export async function* trailLines(sources: TrailSources): AsyncGenerator<readonly string[]> {
  const anchor = await readAnchor(sources);
  const head = await sources.auditStore.head();
  const last = await sources.checkpointStore.last();
  yield [headerLine(sources, anchor)];
  const counted = { records: 0, checkpoints: 0 };
  let position = anchor.seq;
  for await (const checkpoint of checkpointsBetween(sources, anchor.checkpoint?.number ?? 0, last?.number ?? 0)) {
    const until = checkpoint.lastSeq ?? position;
    for await (const page of recordPages(sources, position, until)) {
      counted.records += page.length;
      yield page;
    }
    counted.checkpoints += 1;
    yield [checkpoint.body];
    position = Math.max(position, until);
  }
  for await (const page of recordPages(sources, position, head.seq)) {
    counted.records += page.length;
    yield page;
  }
  yield [line({ type: 'hestia.audit.end/1', ...counted } satisfies AuditExportEnd)];
}

/** Reads the anchor where the trail begins, with the checkpoint that covers the pruned records. */
export async function readAnchor({ auditStore, checkpointStore }: TrailSources): Promise<AuditAnchor> {
  const { seq, hash } = await auditStore.anchor();
  const stored = seq === 0 ? undefined : await checkpointStore.endingAt(seq);
  const checkpoint = stored && parseCheckpoint(stored.body);
  return {
    seq,
    hash,
    frontier: stored?.frontier ?? [],
    ...(checkpoint && !('reason' in checkpoint) && { checkpoint }),
  };
}

function headerLine({ auditStore, key }: TrailSources, anchor: AuditAnchor): string {
  const header = { type: 'hestia.audit.export/1', writer_id: auditStore.writerId(), key, anchor } as const;
  return line(header satisfies AuditExportHeader);
}

async function* checkpointsBetween(
  { checkpointStore }: TrailSources,
  after: number,
  until: number,
): AsyncGenerator<StoredCheckpoint> {
  let position = after;
  while (position < until) {
    const page = await checkpointStore.list({ after: position, limit: pageSize });
    const wanted = page.filter(({ number }) => number <= until);
    yield* wanted;
    const last = wanted.at(-1);
    if (last === undefined) return;
    position = last.number;
  }
}

async function* recordPages({ auditStore }: TrailSources, after: number, until: number): AsyncGenerator<string[]> {
  let position = after;
  while (position < until) {
    const page = await auditStore.listRaw({ after: position, until, limit: pageSize });
    const isGap = page[0]?.seq !== position + 1;
    if (isGap && (await auditStore.anchor()).seq > position)
      throw new HestiaError('CONFLICT', 'records past their retention were deleted while they were read; read again');
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(({ body }) => body);
    position = last.seq;
    await setImmediate();
  }
}

function line(value: object): string {
  return canonicalize(value) ?? '';
}
