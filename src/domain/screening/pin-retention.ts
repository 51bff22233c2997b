/** Releases the definitions of old pins, so that a server with ever new tools cannot fill the disk. */
import { nextSlice } from '../../flow/time-slices.ts';
import type { ToolPinStore } from '../../stores/tool-pin-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** Definitions released in one transaction. */
const batchSize = 50;

/** Dependencies of {@link releaseOldDefinitions}. */
export interface PinRetentionDeps {
  pinStore: Pick<ToolPinStore, 'digests' | 'releaseDefinition'>;
  trail: Pick<AuditTrail, 'commit'>;
  limits: { pinnedBytesPerServerMax: number };
  log: Log;
}

/**
 * Releases definitions of tools whose names are not in use any more, the oldest first, until all have at most
 * `limits.pinnedBytesPerServerMax`. Their digests stay, so that a change of a tool that is listed again is found.
 * @throws HestiaError STORAGE_FAILED
 */
export async function releaseOldDefinitions(
  { pinStore, trail, limits: { pinnedBytesPerServerMax }, log }: PinRetentionDeps,
  serverId: string,
  inUse: ReadonlySet<string>,
): Promise<void> {
  const pins = await pinStore.digests(serverId);
  let bytes = 0;
  for (const pin of pins.values()) bytes += pin.bytes;
  if (bytes <= pinnedBytesPerServerMax) return;
  const unlisted = [...pins].filter(([toolName, pin]) => pin.bytes > 0 && !inUse.has(toolName));
  const released: string[] = [];
  for (const [toolName, pin] of unlisted.sort(([, one], [, other]) => one.pinnedAt - other.pinnedAt)) {
    if (bytes <= pinnedBytesPerServerMax) break;
    bytes -= pin.bytes;
    released.push(toolName);
  }
  for (let from = 0; from < released.length; from += batchSize) {
    await nextSlice();
    await trail.commit([], async (tx) => {
      for (const toolName of released.slice(from, from + batchSize))
        await pinStore.releaseDefinition(tx, { serverId, toolName });
    });
  }
  if (released.length === 0) return;
  const message = 'Definitions of tools that a server no longer lists were released; their digests are kept';
  log.debug(message, { server_id: serverId, released_count: released.length });
}
