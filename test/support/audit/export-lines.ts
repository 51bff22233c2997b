/** Exports of format 2, written without a hub: any records, signed by any keys, as their owner or a forger would write them. */
import { generateKeyPairSync } from 'node:crypto';
import canonicalize from 'canonicalize';
import { signCheckpoint } from '../../../src/journal/checkpoint.ts';
import { type GrowingTree, growTree, leafHash } from '../../../src/journal/merkle-tree.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import { type NoteSigner, noteSigner } from '../../../src/journal/signed-note.ts';
import type { AuditEntry } from '../../../src/shapes/audit.ts';

/** The origin of the log that tests write. */
export const testOrigin = 'hestia/test';

/** A new key, under the name of the log. */
export function newSigner(origin = testOrigin): NoteSigner {
  return noteSigner(origin, generateKeyPairSync('ed25519').privateKey);
}

/** One record; `change` replaces members. */
export function testEntry(change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    writer_id: 'writer_1',
    time: '2026-01-02T03:04:05.678Z',
    kind: 'tool_outcome',
    event: 'TOOL_OUTCOME',
    target: 'tool:everything/echo',
    outcome: 'success',
    agent_id: 'billing-bot',
    namespace: 'finance',
    key_id: 'key_1',
    trace_id: 'a'.repeat(32),
    span_id: 'b'.repeat(16),
    fields: { latency_ms: 1 / 3, server_id: 'everything', tool_name: 'echo' },
    ...change,
  };
}

/** The lines of `count` records, numbered from 1, each with a tool name of its own. */
export function testRecords(count: number, change: Partial<AuditEntry> = {}): string[] {
  return Array.from({ length: count }, (_, at) =>
    recordLine(testEntry({ fields: { latency_ms: (at + 1) / 3, tool_name: `tool-${at + 1}` }, ...change }), at + 1),
  );
}

/** The line of the record in which retention states the first record that stays. */
export function pruningRecord(seq: number, firstSeq: number): string {
  const fields = { agent_id: 'hestia', first_seq: firstSeq, records: firstSeq - 1 };
  return recordLine(testEntry({ kind: 'change', event: 'AUDIT_PRUNED', fields }), seq);
}

/** What an export is written from. */
export interface ExportParts {
  /** The lines of all records from number 1. */
  records: readonly string[];
  /** Sizes at which a checkpoint is signed, and by whom. */
  checkpoints: readonly { size: number; signers: readonly NoteSigner[] }[];
  /** The keys that the header names; those of the last checkpoint by default. */
  vkeys?: readonly string[];
  origin?: string;
  /** The first record of the export. Those before are in the tree, but not in the lines. */
  firstSeq?: number;
}

/** The lines of an export. */
export function exportLines({ records, checkpoints, origin = testOrigin, firstSeq = 1, vkeys }: ExportParts): string[] {
  const tree = growTree({ size: 0, frontier: [] });
  for (const line of records.slice(0, firstSeq - 1)) tree.append(leafHash(line));
  const lines = [
    json({
      type: 'hestia.audit.export/2',
      origin,
      writer_id: 'writer_1',
      vkeys: vkeys ?? checkpoints.at(-1)?.signers.map(({ vkey }) => vkey) ?? [],
      first_seq: firstSeq,
      frontier: tree.frontier().map((root) => root.toString('base64')),
    }),
  ];
  let note: string | undefined;
  let notes = 0;
  for (const [at, line] of records.entries()) {
    const size = at + 1;
    if (size < firstSeq) continue;
    tree.append(leafHash(line));
    lines.push(line);
    const signers = checkpoints.find((checkpoint) => checkpoint.size === size)?.signers;
    if (signers === undefined) continue;
    note = signTree(tree, signers, origin);
    notes += 1;
    lines.push(json({ type: 'hestia.audit.checkpoint/2', size, note }));
  }
  const counted = { records: records.length - firstSeq + 1, checkpoints: notes };
  return [...lines, json({ type: 'hestia.audit.end/2', ...counted, note })];
}

/** Signs a tree. */
export function signTree(tree: GrowingTree, signers: readonly NoteSigner[], origin = testOrigin): string {
  return signCheckpoint({ origin, size: tree.size(), root: tree.root() }, signers);
}

/** The note of a checkpoint over these records. */
export function noteOver(records: readonly string[], signers: readonly NoteSigner[], origin = testOrigin): string {
  const tree = growTree({ size: 0, frontier: [] });
  for (const line of records) tree.append(leafHash(line));
  return signTree(tree, signers, origin);
}

/** Canonical JSON. */
export function json(value: object): string {
  return canonicalize(value) ?? '';
}
