/**
 * The published skills that are not active, as entries of the search index. Searches find them; no list of tools holds them.
 * An entry is left out where the latest version is held or blocked by the content scan.
 */
import { setImmediate } from 'node:timers/promises';
import type { ToolIndex } from '../search-index/tool-index.ts';
import { hubServerId } from '../shapes/server.ts';
import { type Skill, skillToolName } from '../shapes/skill.ts';
import type { IndexedTool } from '../shapes/tool.ts';
import type { QuarantineStore } from '../stores/quarantine-store.ts';
import { type SkillStore, skillCursor } from '../stores/skill-store.ts';
import type { Log } from '../telemetry/log.ts';
import { type SkillTools, skillToolDefinition } from './skill-tools.ts';

/** Keeps the entries in step with the registry. */
export interface SkillCatalogue {
  /** Updates the entry of one skill after a change, from within its queue. Never throws: a failure is logged. */
  refresh(skill: { namespace: string; name: string }): Promise<void>;
  /** Adds all skills that are not active. Called once at start, after the tools of active skills are registered. */
  restore(): Promise<void>;
  /** Calls the listener with the namespace of each skill that has changed, until the returned function is called. */
  onChange(listener: (namespace: string) => void): () => void;
}

/** Dependencies of the catalogue. */
export interface SkillCatalogueDeps {
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  skillStore: SkillStore;
  quarantineStore: QuarantineStore;
  log: Log;
}

/** The number of skills that a start reads before the event loop runs other work. */
const pageSize = 100;

/** Creates the catalogue. The index is empty of inactive skills before `restore`. */
export function createSkillCatalogue(deps: SkillCatalogueDeps): SkillCatalogue {
  const { skillStore, log } = deps;
  const listeners = new Set<(namespace: string) => void>();
  return {
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh: async ({ namespace, name }) => {
      try {
        await update(deps, { namespace, name }, await skillStore.findSkill({ namespace, name }));
      } catch (error) {
        log.error('A skill could not be updated in the search index', { skill_name: name, namespace }, { error });
      }
      for (const listener of listeners) listener(namespace);
    },
    restore: async () => {
      let after: string | undefined;
      while (true) {
        const page = await skillStore.listSkills({ after, limit: pageSize });
        for (const skill of page) await update(deps, skill, skill);
        const last = page.at(-1);
        if (last === undefined || page.length < pageSize) return;
        after = skillCursor(last);
        await setImmediate();
      }
    },
  };
}

async function update(
  deps: SkillCatalogueDeps,
  { namespace, name }: { namespace: string; name: string },
  skill: Skill | undefined,
): Promise<void> {
  const { toolIndex, skillTools } = deps;
  const toolName = skillToolName(name);
  const isOffered = skill !== undefined && (await isInactive(deps, skill)) && !(await isQuarantined(deps, skill));
  // The entry of an active skill has the same key and belongs to the registry of skill tools.
  if (skillTools.find(namespace, toolName) !== undefined) return;
  if (isOffered) toolIndex.put(inactiveTool(skill, toolName));
  else toolIndex.remove({ serverId: hubServerId, toolName, namespace });
}

async function isInactive({ skillStore }: SkillCatalogueDeps, { skillId }: Skill): Promise<boolean> {
  return (await skillStore.findActivation(skillId)) === undefined;
}

async function isQuarantined({ skillStore, quarantineStore }: SkillCatalogueDeps, skill: Skill): Promise<boolean> {
  const { skillId, namespace, name, latestVersion } = skill;
  const [latest] = await skillStore.listVersions(skillId, { after: latestVersion - 1, limit: 1 });
  if (latest === undefined) return true;
  const entry = await quarantineStore.find({ kind: 'skill', scope: namespace, name, digest: latest.digest });
  return entry?.state === 'held' || entry?.state === 'blocked';
}

function inactiveTool({ namespace, name, description, ownerAgentId }: Skill, toolName: string): IndexedTool {
  return {
    source: 'skill',
    namespace,
    definition: skillToolDefinition({ toolName, name, description, filePaths: [] }),
    inactiveSkill: { name, ownerAgentId },
  };
}
