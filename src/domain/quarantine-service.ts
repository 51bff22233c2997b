/** Lists the quarantine, and approves or refuses quarantined skill versions and tool definitions. */
import type { Caller } from '../shapes/access.ts';
import { notFound } from '../shapes/error.ts';
import { type QuarantineEntry, type QuarantineFilter, quarantineOrigin } from '../shapes/quarantine.ts';
import type { QuarantineStore, StoredQuarantineEntry } from '../stores/quarantine-store.ts';
import type { SkillStore } from '../stores/skill-store.ts';
import { inSpan } from '../telemetry/span.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { OfferCatalogue } from './offer/catalogue.ts';
import type { ToolGate } from './screening/tool-gate.ts';
import type { SkillCatalogue } from './skill-catalogue.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';
import type { SkillSync } from './skill-sync.ts';

/** Reads quarantine entries and decides on them. Errors: NOT_FOUND, FORBIDDEN, STORAGE_FAILED. */
export interface QuarantineService {
  list(
    caller: Caller,
    page: QuarantineFilter & { before?: number | undefined; limit: number },
  ): Promise<StoredQuarantineEntry[]>;
  /**
   * Approves the content of an entry, identified by its digest. A tool, or a skill of a watched directory, becomes available
   * at once, and searches find the skill. Idempotent.
   */
  approve(caller: Caller, quarantineId: string): Promise<QuarantineEntry>;
  /**
   * Refuses the content of an entry, for a reason that is recorded. A tool is no longer offered and an active skill is deactivated.
   * A decision may be changed. Idempotent.
   */
  refuse(caller: Caller, quarantineId: string, reason: string): Promise<QuarantineEntry>;
}

/** Dependencies of the service. */
export interface QuarantineServiceDeps {
  quarantineStore: QuarantineStore;
  toolGate: ToolGate;
  /** Indexes an approved prompt or resource. */
  offerCatalogue: Pick<OfferCatalogue, 'refresh'>;
  skillStore: Pick<SkillStore, 'findSkill' | 'findActivation' | 'findVersion'>;
  lifecycle: Pick<SkillLifecycle, 'deactivate'>;
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
  const { quarantineStore, guard } = deps;
  const find = async (caller: Caller, quarantineId: string) => {
    await guard.require(caller, 'quarantine.manage');
    const entry = await quarantineStore.findById(quarantineId);
    if (entry === undefined) throw notFound('quarantine entry');
    return entry;
  };
  return {
    list: async (caller, page) => {
      await guard.require(caller, 'quarantine.read');
      return quarantineStore.list(page);
    },
    approve: async (caller, quarantineId) => {
      const entry = await find(caller, quarantineId);
      if (entry.state !== 'approved') await decide(deps, caller, { entry, state: 'approved', reason: undefined });
      await apply(deps, entry);
      return (await quarantineStore.findById(quarantineId)) ?? entry;
    },
    refuse: async (caller, quarantineId, reason) => {
      const entry = await find(caller, quarantineId);
      if (entry.state !== 'refused') await decide(deps, caller, { entry, state: 'refused', reason });
      if (entry.kind === 'skill') await deactivateVersion(deps, caller, entry);
      await apply(deps, entry);
      return (await quarantineStore.findById(quarantineId)) ?? entry;
    },
  };
}

/** Makes what a decision is about available, or takes it away. */
async function apply(
  { toolGate, offerCatalogue, skillSync, refreshSkill }: QuarantineServiceDeps,
  entry: QuarantineEntry,
): Promise<void> {
  const { kind, scope, name } = entry;
  if (kind === 'tool') {
    await toolGate.readmit(scope);
    offerCatalogue.refresh(scope);
    return;
  }
  await skillSync.repeat({ namespace: scope, name });
  await refreshSkill({ namespace: scope, name });
}

/** Deactivates a published skill whose active version has the content of the entry. */
async function deactivateVersion(
  { skillStore, lifecycle }: QuarantineServiceDeps,
  caller: Caller,
  { scope, name, digest }: QuarantineEntry,
): Promise<void> {
  const skill = await skillStore.findSkill({ namespace: scope, name });
  const activation = skill && (await skillStore.findActivation(skill.skillId));
  const version = activation && (await skillStore.findVersion(activation.skillId, activation.version));
  if (version?.document.digest === digest) await lifecycle.deactivate(caller, { namespace: scope, name });
}

function decide(
  deps: QuarantineServiceDeps,
  caller: Caller,
  { entry, state, reason }: { entry: QuarantineEntry; state: 'approved' | 'refused'; reason: string | undefined },
): Promise<boolean> {
  const { quarantineId, kind, name, digest } = entry;
  return inSpan(`quarantine.${state === 'approved' ? 'approve' : 'refuse'}`, {}, (span) => {
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
      reason,
      agent_id: caller.agentId,
      namespace: caller.namespace,
    };
    const event = {
      kind: 'change',
      name: state === 'approved' ? 'QUARANTINE_APPROVED' : 'QUARANTINE_REFUSED',
      fields,
    } as const;
    return deps.trail.commit({ event, by: caller, span }, (tx) =>
      deps.quarantineStore.decide(tx, { quarantineId, state, by: caller.agentId, at: deps.now(), reason }),
    );
  });
}
