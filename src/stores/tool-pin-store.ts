/** The store of tool pins: the trusted definition of each upstream tool. */
import { z } from 'zod';
import { createTimeSlices } from '../flow/time-slices.ts';
import { jsonObjectSchema } from '../shapes/json.ts';
import type { Database, Transaction } from './database.ts';
import { jsonColumn } from './statement.ts';

/**
 * A pinned definition. `digest` is the SHA-256 (hex) of its canonical JSON; `pinnedAt` is Unix milliseconds. `cleanScan` is
 * the version of the content scan that last found nothing in it, undefined if there is none. The definition is undefined once
 * its bytes were released: a change is still found by its digest.
 */
export interface ToolPin extends z.infer<typeof pinKeySchema> {
  definition: z.infer<typeof jsonObjectSchema> | undefined;
}

const pinKeySchema = z.object({
  serverId: z.string(),
  toolName: z.string(),
  digest: z.string(),
  pinnedAt: z.number(),
  cleanScan: z.string().optional(),
});

/** What screening reads of each pin. `bytes` is the length of its stored definition. */
export type PinnedDigest = Pick<ToolPin, 'digest' | 'cleanScan' | 'pinnedAt'> & { bytes: number };

/** The most pins of one server, so that a server with ever new tool names cannot fill the disk. */
export const pinsPerServerMax = 50_000;

/** Reads and writes pins. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface ToolPinStore {
  /** The pins' digests and scans by tool name, read in slices. */
  digests(serverId: string): Promise<Map<string, PinnedDigest>>;
  find(tool: { serverId: string; toolName: string }): Promise<ToolPin | undefined>;
  /** Stores a pin, or replaces the one of the same tool. */
  put(tx: Transaction, pin: ToolPin): Promise<void>;
  /** Stores the version of the scan that found nothing in a pinned definition. Does nothing if another one is pinned. */
  putCleanScan(
    tx: Transaction,
    scan: Pick<ToolPin, 'serverId' | 'toolName' | 'digest'> & { cleanScan: string },
  ): Promise<void>;
  /** Deletes the definition of a pin, whose digest stays. */
  releaseDefinition(tx: Transaction, tool: { serverId: string; toolName: string }): Promise<void>;
}

/** Pins that are read at once. */
const pageSize = 500;
/** What a definition is stored as once its bytes were released. */
const released = '';

/** Creates the store of tool pins in `database`. */
export function createToolPinStore(database: Database): ToolPinStore {
  const find = database.query(
    `SELECT server_id AS serverId, tool_name AS toolName, digest, nullif(definition, '${released}') AS definition,
       pinned_at AS pinnedAt, clean_scan AS cleanScan
     FROM tool_pins WHERE server_id = :serverId AND tool_name = :toolName`,
    pinKeySchema.extend({ definition: jsonColumn(jsonObjectSchema).optional() }),
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
  const release = database.command(
    `UPDATE tool_pins SET definition = '${released}' WHERE server_id = :serverId AND tool_name = :toolName`,
  );
  return {
    digests: prepareDigests(database),
    find: async ({ serverId, toolName }) => {
      const row = find.first({ serverId, toolName });
      return row && { ...row, definition: row.definition };
    },
    async put(tx, { definition, ...pin }) {
      const text = definition === undefined ? released : JSON.stringify(definition);
      put.run(tx, { ...pin, cleanScan: pin.cleanScan, definition: text });
    },
    async putCleanScan(tx, scan) {
      putCleanScan.run(tx, scan);
    },
    async releaseDefinition(tx, tool) {
      release.run(tx, tool);
    },
  };
}

function prepareDigests(database: Database): ToolPinStore['digests'] {
  const digests = database.query(
    `SELECT tool_name AS toolName, digest, clean_scan AS cleanScan, pinned_at AS pinnedAt, octet_length(definition) AS bytes
     FROM tool_pins WHERE server_id = :serverId AND tool_name > :after ORDER BY tool_name LIMIT ${pageSize}`,
    pinKeySchema.omit({ serverId: true }).extend({ bytes: z.int() }),
  );
  return async (serverId) => {
    const slice = createTimeSlices();
    const pins = new Map<string, PinnedDigest>();
    for (let after = ''; ; ) {
      const page = digests.all({ serverId, after });
      for (const { toolName, ...pin } of page) pins.set(toolName, pin);
      after = page.at(-1)?.toolName ?? after;
      if (page.length < pageSize || pins.size >= pinsPerServerMax) return pins;
      await slice();
    }
  };
}
