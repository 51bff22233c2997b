/**
 * The store of audit checkpoints and of the larger nodes of the audit trail's Merkle tree.
 * The domain decides how they are made.
 */
import { z } from 'zod';
import { digestSchema } from '../shapes/audit.ts';
import type { AuditTreeNode, SignedCheckpoint } from '../shapes/audit-checkpoint.ts';
import type { Database, Transaction } from './database.ts';

/** The lowest level of stored tree nodes: subtrees of 2^8 leaves. Nodes below it are computed from records. */
export const treeLevelMin = 8;

/** A stored checkpoint. Its text stays unparsed, so that a checkpoint that was tampered with can still be reported. */
export interface StoredCheckpoint {
  number: number;
  body: string;
  /** Undefined if the body does not contain it. */
  lastSeq?: number | undefined;
  /** Empty if the stored text is not a list of hashes. */
  frontier: string[];
}

/** Reads and appends checkpoints. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface AuditCheckpointStore {
  /**
   * Stores a checkpoint, the frontier of the tree at its last record, and those of `nodes` that are at
   * {@link treeLevelMin} or above. `nodes` are those completed since the checkpoint before.
   */
  append(
    tx: Transaction,
    added: { signed: SignedCheckpoint; frontier: readonly string[]; nodes: readonly AuditTreeNode[] },
  ): Promise<void>;
  /** Whether no checkpoint is stored. */
  isEmpty(): boolean;
  last(): Promise<StoredCheckpoint | undefined>;
  find(number: number): Promise<StoredCheckpoint | undefined>;
  /** The checkpoint whose last record is `seq`. */
  endingAt(seq: number): Promise<StoredCheckpoint | undefined>;
  /** Checkpoints after number `after`, ascending, at most `limit`. */
  list(page: { after: number; limit: number }): Promise<StoredCheckpoint[]>;
  /** The stored root of a perfect subtree. */
  node(place: { level: number; index: number }): Promise<string | undefined>;
}

/** Creates the store of checkpoints in `database`. */
export function createAuditCheckpointStore(database: Database): AuditCheckpointStore {
  const select = 'SELECT number, body, last_seq AS lastSeq, frontier FROM audit_checkpoints';
  const last = database.query(`${select} ORDER BY number DESC LIMIT 1`, checkpointRowSchema);
  const byNumber = database.query(`${select} WHERE number = :number`, checkpointRowSchema);
  const byLastSeq = database.query(`${select} WHERE last_seq = :seq`, checkpointRowSchema);
  const list = database.query(`${select} WHERE number > :after ORDER BY number LIMIT :limit`, checkpointRowSchema);
  const insert = database.command(
    'INSERT INTO audit_checkpoints (number, body, frontier) VALUES (:number, :body, :frontier)',
  );
  const node = database.query(
    'SELECT hash FROM audit_tree_nodes WHERE level = :level AND position = :index',
    z.object({ hash: digestSchema }),
  );
  const insertNode = database.command(
    'INSERT INTO audit_tree_nodes (level, position, hash) VALUES (:level, :index, :hash)',
  );
  return {
    async append(tx, { signed, frontier, nodes }) {
      const { checkpoint, body } = signed;
      insert.run(tx, { number: checkpoint.number, body, frontier: JSON.stringify(frontier) });
      for (const { level, index, hash } of nodes) {
        if (level >= treeLevelMin) insertNode.run(tx, { level, index, hash });
      }
    },
    isEmpty: () => last.first() === undefined,
    last: async () => last.first(),
    find: async (number) => byNumber.first({ number }),
    endingAt: async (seq) => byLastSeq.first({ seq }),
    list: async (page) => list.all(page),
    node: async ({ level, index }) => node.first({ level, index })?.hash,
  };
}

const checkpointRowSchema = z.object({
  number: z.int(),
  body: z.string(),
  lastSeq: z.int().optional(),
  frontier: z.string().transform((text) => {
    try {
      return z.array(digestSchema).parse(JSON.parse(text));
    } catch {
      return [];
    }
  }),
});
