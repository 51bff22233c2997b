/** The store of tool pins: the trusted definition of each upstream tool. */
import { z } from 'zod';
import { jsonObjectSchema } from '../shapes/json.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/** A pinned definition. `digest` is the SHA-256 (hex) of its canonical JSON; `pinnedAt` is Unix milliseconds. */
export type ToolPin = z.infer<typeof toolPinSchema>;

const toolPinSchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  digest: z.string(),
  definition: jsonColumn(jsonObjectSchema),
  pinnedAt: z.number(),
});

/** The most pins of one server, so that a server with ever new tool names cannot fill the disk. */
export const pinsPerServerMax = 50_000;

/** Reads and writes pins. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface ToolPinStore {
  /** The pins' digests by tool name. */
  digests(serverId: string): Promise<Map<string, string>>;
  find(tool: { serverId: string; toolName: string }): Promise<ToolPin | undefined>;
  /** Stores a pin, or replaces the one of the same tool. */
  put(tx: Transaction, pin: ToolPin): Promise<void>;
}

/** Creates the store of tool pins in `database`. */
export function createToolPinStore(database: Database): ToolPinStore {
  const digests = database.query(
    `SELECT tool_name AS toolName, digest FROM tool_pins WHERE server_id = :serverId LIMIT ${pinsPerServerMax}`,
    z.object({ toolName: z.string(), digest: z.string() }),
  );
  const find = database.query(
    `SELECT server_id AS serverId, tool_name AS toolName, digest, definition, pinned_at AS pinnedAt
     FROM tool_pins WHERE server_id = :serverId AND tool_name = :toolName`,
    toolPinSchema,
  );
  const put = database.command(
    `INSERT INTO tool_pins (server_id, tool_name, digest, definition, pinned_at)
     VALUES (:serverId, :toolName, :digest, :definition, :pinnedAt)
     ON CONFLICT (server_id, tool_name) DO UPDATE
       SET digest = excluded.digest, definition = excluded.definition, pinned_at = excluded.pinned_at`,
  );
  return {
    digests: async (serverId) => new Map(digests.all({ serverId }).map(({ toolName, digest }) => [toolName, digest])),
    find: async ({ serverId, toolName }) => find.first({ serverId, toolName }),
    async put(tx, { definition, ...pin }) {
      put.run(tx, { ...pin, definition: JSON.stringify(definition) });
    },
  };
}
