/** Pruning of the audit trail: deletes its oldest checkpointed ranges, so that the rest still verifies. */
import { z } from 'zod';
import { treeLevelMin } from './audit-checkpoint-store.ts';
import type { Database, Transaction } from './database.ts';

/** Prepares the statements and returns the implementation of `AuditStore.prune`. */
export function prepareAuditPruning(
  database: Database,
): (tx: Transaction, range: { before: string; limit: number }) => number {
  const nextRange = database.query(
    `SELECT last_seq AS seq, json_extract(body, '$.head_hash') AS hash, time FROM audit_checkpoints
     WHERE last_seq > (SELECT seq FROM audit_anchor) ORDER BY last_seq LIMIT 1`,
    z.object({ seq: z.int(), hash: z.string(), time: z.string() }),
  );
  const moveAnchor = database.command('UPDATE audit_anchor SET seq = :seq, hash = :hash');
  const deleteRecords = database.command(
    `DELETE FROM audit_records WHERE seq IN
     (SELECT seq FROM audit_records WHERE seq <= (SELECT seq FROM audit_anchor) ORDER BY seq LIMIT :limit)`,
  );
  const deleteCheckpoints = database.command('DELETE FROM audit_checkpoints WHERE last_seq < :seq');
  const deleteNodes = database.command('DELETE FROM audit_tree_nodes WHERE level = :level AND position < :position');

  const moveTo = (tx: Transaction, { seq, hash }: { seq: number; hash: string }) => {
    moveAnchor.run(tx, { seq, hash });
    deleteCheckpoints.run(tx, { seq });
    for (let level = treeLevelMin; 2 ** level <= seq; level += 1) {
      deleteNodes.run(tx, { level, position: Math.floor(seq / 2 ** level) });
    }
  };
  return (tx, { before, limit }) => {
    let deleted = deleteRecords.run(tx, { limit });
    while (deleted < limit) {
      const range = nextRange.first();
      if (range === undefined || range.time >= before) break;
      moveTo(tx, range);
      deleted += deleteRecords.run(tx, { limit: limit - deleted });
    }
    return deleted;
  };
}
