/** Lists the quarantine, and approves quarantined skill versions and tool definitions. */
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import {
  type QuarantineEntry,
  type QuarantineKind,
  type QuarantineState,
  quarantineOrigin,
} from '../shapes/quarantine.ts';
import type { QuarantineStore, StoredQuarantineEntry } from '../stores/quarantine-store.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { OfferCatalogue } from './offer/catalogue.ts';
import type { ToolGate } from './screening/tool-gate.ts';
import type { SkillCatalogue } from './skill-catalogue.ts';
import type { SkillSync } from './skill-sync.ts';

/** Reads and approves quarantine entries. Errors: NOT_FOUND, FORBIDDEN, STORAGE_FAILED. */
export interface QuarantineService {
  list(
    caller: Caller,
    query: {
      kind?: QuarantineKind | undefined;
      state?: QuarantineState | undefined;
      before?: number | undefined;
      limit: number;
    },
  ): Promise<StoredQuarantineEntry[]>;
  /**
   * Approves the content of an entry, identified by its digest. A tool, or a skill of a watched directory, becomes available
   * at once, and searches find the skill. Idempotent.
   */
  approve(caller: Caller, quarantineId: string): Promise<QuarantineEntry>;
}

/** Dependencies of the service. */
export interface QuarantineServiceDeps {
  quarantineStore: QuarantineStore;
  toolGate: ToolGate;
  /** Indexes an approved prompt or resource. */
  offerCatalogue: Pick<OfferCatalogue, 'refresh'>;
  /** Updates the entry of a skill in the search index. */
  refreshSkill: SkillCatalogue['refresh'];
  /** Publishes the folder of an approved skill. */
  skillSync: Pick<SkillSync, 'repeat'>;
  trail: AuditTrail;
  guard: AccessGuard;
  now: () => number;
}

/** Creates the service. */
export function createQuarantineService(deps: QuarantineServiceDeps): QuarantineService {
  const { quarantineStore, guard, toolGate, skillSync } = deps;
  return {
    list: async (caller, query) => {
      await guard.require(caller, 'quarantine.read');
      return quarantineStore.list(query);
    },
    approve: async (caller, quarantineId) => {
      await guard.require(caller, 'quarantine.manage');
      const entry = await quarantineStore.findById(quarantineId);
      if (entry === undefined) throw notFound('quarantine entry');
      if (entry.state !== 'approved') await approveEntry(deps, caller, entry);
      if (entry.kind === 'tool') {
        await toolGate.readmit(entry.scope);
        deps.offerCatalogue.refresh(entry.scope);
      } else {
        await skillSync.repeat({ namespace: entry.scope, name: entry.name });
        await deps.refreshSkill({ namespace: entry.scope, name: entry.name });
      }
      return (await quarantineStore.findById(quarantineId)) ?? entry;
    },
  };
}

function approveEntry(deps: QuarantineServiceDeps, caller: Caller, entry: QuarantineEntry): Promise<boolean> {
  const { quarantineId, kind, name, digest } = entry;
  return inSpan('quarantine.approve', {}, (span) => {
    const origin = quarantineOrigin(entry);
    const subject = {
      ...(kind === 'skill' ? { skill_name: name } : { tool_name: name }),
      ...('serverId' in origin ? { server_id: origin.serverId } : { skill_namespace: origin.namespace }),
    };
    const fields = {
      quarantine_id: quarantineId,
      ...subject,
      digest,
      state_before: entry.state,
      agent_id: caller.agentId,
      namespace: caller.namespace,
    };
    const event = { kind: 'change', name: 'QUARANTINE_APPROVED', fields } as const;
    return deps.trail.commit({ event, by: caller, span }, (tx) =>
      deps.quarantineStore.approve(tx, { quarantineId, by: caller.agentId, at: deps.now() }),
    );
  });
}
