/** The store of tool pins: the trusted definition of each upstream tool. */
import { z } from 'zod';
import { jsonObjectSchema } from '../shapes/json.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/**
 * A pinned definition. `digest` is the SHA-256 (hex) of its canonical JSON; `pinnedAt` is Unix milliseconds. `cleanScan` is
 * the version of the content scan that last found nothing in it, undefined if there is none.
 */
export type ToolPin = z.infer<typeof toolPinSchema>;

/** What screening reads of each pin. */
export type PinnedDigest = Pick<ToolPin, 'digest' | 'cleanScan'>;

const toolPinSchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  digest: z.string(),
  definition: jsonColumn(jsonObjectSchema),
  pinnedAt: z.number(),
  cleanScan: z.string().optional(),
});

/** The most pins of one server, so that a server with ever new tool names cannot fill the disk. */
export const pinsPerServerMax = 50_000;

/** Reads and writes pins. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface ToolPinStore {
  /** The pins' digests and scans by tool name. */
  digests(serverId: string): Promise<Map<string, PinnedDigest>>;
  find(tool: { serverId: string; toolName: string }): Promise<ToolPin | undefined>;
  /** Stores a pin, or replaces the one of the same tool. */
  put(tx: Transaction, pin: ToolPin): Promise<void>;
  /** Stores the version of the scan that found nothing in a pinned definition. Does nothing if another one is pinned. */
  putCleanScan(
    tx: Transaction,
    scan: Pick<ToolPin, 'serverId' | 'toolName' | 'digest'> & { cleanScan: string },
  ): Promise<void>;
}

/** Creates the store of tool pins in `database`. */
export function createToolPinStore(database: Database): ToolPinStore {
  const digests = database.query(
    `SELECT tool_name AS toolName, digest, clean_scan AS cleanScan
     FROM tool_pins WHERE server_id = :serverId LIMIT ${pinsPerServerMax}`,
    toolPinSchema.pick({ toolName: true, digest: true, cleanScan: true }),
  );
  const find = database.query(
    `SELECT server_id AS serverId, tool_name AS toolName, digest, definition, pinned_at AS pinnedAt, clean_scan AS cleanScan
     FROM tool_pins WHERE server_id = :serverId AND tool_name = :toolName`,
    toolPinSchema,
  );
  const put = database.command(
    `INSERT INTO tool_pins (server_id, tool_name, digest, definition, pinned_at, clean_scan)
     VALUES (:serverId, :toolName, :digest, :definition, :pinnedAt, :cleanScan)
     ON CONFLICT (server_id, tool_name) DO UPDATE
       SET digest = excluded.digest, definition = excluded.definition, pinned_at = excluded.pinned_at,
         clean_scan = excluded.clean_scan`,
  );
  const putCleanScan = database.command(
    `UPDATE tool_pins SET clean_scan = :cleanScan
     WHERE server_id = :serverId AND tool_name = :toolName AND digest = :digest`,
  );
  return {
    digests: async (serverId) => new Map(digests.all({ serverId }).map(({ toolName, ...pin }) => [toolName, pin])),
    find: async ({ serverId, toolName }) => find.first({ serverId, toolName }),
    async put(tx, { definition, ...pin }) {
      put.run(tx, { ...pin, cleanScan: pin.cleanScan, definition: JSON.stringify(definition) });
    },
    async putCleanScan(tx, scan) {
      putCleanScan.run(tx, scan);
    },
  };
}
