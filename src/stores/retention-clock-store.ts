/** The store of what the hub knows of the clock, for the check of the clock before retention. */
import { strict as assert } from 'node:assert';
import { z } from 'zod';
import type { Database, Transaction } from './database.ts';

/**
 * What is known of the clock. `seenAt` is the last time that was read, in Unix milliseconds; absent before the first. `confirmedMs`
 * is how long the hub has been running since a jump; absent while the clock is trusted.
 */
export interface ClockKnowledge {
  seenAt?: number | undefined;
  confirmedMs?: number | undefined;
}

/** Reads and writes what is known. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface RetentionClockStore {
  read(): Promise<ClockKnowledge>;
  save(tx: Transaction, knowledge: ClockKnowledge): Promise<void>;
}

const rowSchema = z.object({ seenAt: z.number().optional(), confirmedMs: z.number().optional() });

/** Creates the store in `database`. */
export function createRetentionClockStore(database: Database): RetentionClockStore {
  const read = database.query('SELECT seen_at AS seenAt, confirmed_ms AS confirmedMs FROM retention_clock', rowSchema);
  const save = database.command('UPDATE retention_clock SET seen_at = :seenAt, confirmed_ms = :confirmedMs');
  return {
    read: async () => {
      const row = read.first();
      assert(row !== undefined, 'the schema inserts the row');
      return row;
    },
    save: async (tx, { seenAt, confirmedMs }) => {
      save.run(tx, { seenAt, confirmedMs });
    },
  };
}
