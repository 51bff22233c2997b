/** Applies changes of the servers in the configuration file while the hub runs, each with its record. */
import { createKeyedQueue } from '../../flow/keyed-queue.ts';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import { ConfigurationError } from '../../shapes/configuration/configuration-error.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ServersFile } from '../../stores/server/servers-file.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { attributes } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { ConnectionPool, ServerChange } from '../../upstream/connection-pool.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** The registry. Its works run one at a time. */
export interface ServerRegistry {
  /**
   * Writes an entry of the file, or removes it, and applies it.
   * @throws HestiaError CONFLICT if the file cannot be written or is not valid, STORAGE_FAILED. Then nothing has changed.
   */
  write(by: Caller, written: WrittenEntry): Promise<void>;
  /** Applies what has changed in the file. Never throws: an error is logged, and the servers stay as they are. */
  reload(): Promise<void>;
}

/** An entry that is written; undefined removes it. A change of one tool is recorded with its name. */
export interface WrittenEntry {
  serverId: string;
  entry: JsonObject | undefined;
  tool?: { toolName: string; enabled: boolean };
}

/** Dependencies of the registry. */
export interface ServerRegistryDeps {
  pool: ConnectionPool;
  file: ServersFile;
  trail: AuditTrail;
  metrics: Pick<Metrics, 'serverAdded'>;
  log: Log;
}

/** Creates the registry. */
export function createServerRegistry(deps: ServerRegistryDeps): ServerRegistry {
  const queue = createKeyedQueue();
  return {
    write: (by, { serverId, entry, tool }) =>
      queue('servers', async () => {
        requireValid(deps.file);
        const undo = deps.file.write(serverId, entry);
        try {
          await apply(deps, { by, source: 'api', tool });
        } catch (error) {
          undo();
          throw error;
        }
      }),
    reload: () =>
      queue('servers', async () => {
        try {
          await apply(deps, { by: hubCaller, source: 'file', tool: undefined });
        } catch (error) {
          const reason = error instanceof ConfigurationError ? error.message : undefined;
          deps.log.error('The configuration was not reloaded', { reason }, reason === undefined ? { error } : {});
        }
      }),
  };
}

/** @throws HestiaError CONFLICT if the file is not valid as it is */
function requireValid(file: ServersFile): void {
  try {
    file.read();
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new HestiaError('CONFLICT', `the configuration file is not valid: ${cause.message}`, { cause });
  }
}

/** Where a change comes from. */
interface Origin {
  by: Caller;
  source: 'api' | 'file';
  tool: WrittenEntry['tool'];
}

/** Records each change, then applies all. */
async function apply({ pool, file, trail, metrics, log }: ServerRegistryDeps, origin: Origin): Promise<void> {
  const next = file.read();
  const changes = pool.changesTo(next);
  if (changes.length === 0) return;
  for (const change of changes) await record(trail, change, origin);
  for (const { serverId, change } of changes) if (change === 'added') metrics.serverAdded(serverId);
  await pool.apply(next);
  for (const warning of next.warnings) log.warn('The configuration has a part that is ignored or adapted', { warning });
}

async function record(
  trail: AuditTrail,
  { serverId, change }: ServerChange,
  { by, source, tool }: Origin,
): Promise<void> {
  await inSpan('server.change', { attributes: { [attributes.serverId]: serverId } }, async (span) => {
    const fields = {
      ...{ server_id: serverId, tool_name: tool?.toolName, enabled: tool?.enabled, change, source },
      ...{ agent_id: by.agentId, namespace: by.namespace },
    };
    const event = { kind: 'security', name: 'SERVER_CHANGED', failed: false, fields } as const;
    await trail.commit({ event, by, span }, async () => undefined);
  });
}
