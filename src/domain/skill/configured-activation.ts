/**
 * Activation of the skills that `skills.activate` names, at the start and with each version.
 * What somebody else has activated stays as it is. What somebody has deactivated stays so until then.
 */
import { compileGlob } from '../../flow/glob.ts';
import { nextSlice } from '../../flow/time-slices.ts';
import { type Caller, hubCaller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { Activation, Skill } from '../../shapes/skill.ts';
import { type SkillStore, skillCursor } from '../../stores/skill-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ActivationCause } from './activation.ts';
import type { SkillAddress } from './lookup.ts';
import { normalisedName } from './name.ts';

/** Activates what the configuration names. A skill that cannot be activated is logged and prevents nothing else. */
export interface ConfiguredActivation {
  /**
   * Activates all skills that are named, and deactivates those that the configuration activated and names no more. Logs each
   * pattern that matches no skill. Called once, when the skills of directories are published.
   */
  start(): Promise<void>;
  /** Activates a version that was published, if its skill is named. */
  onPublished(skill: Skill): Promise<void>;
}

/** Dependencies of {@link createConfiguredActivation}. */
export interface ConfiguredActivationDeps {
  /** `skills.activate`: names and globs. */
  activate: readonly string[];
  /** `skills.namespace`: the namespace of the skills that they name. */
  namespace: string;
  skillStore: Pick<SkillStore, 'listSkills' | 'findActivation' | 'listActivations'>;
  lifecycle: {
    activate(caller: Caller, address: SkillAddress, options: { cause: ActivationCause }): Promise<unknown>;
    deactivate(caller: Caller, address: SkillAddress): Promise<unknown>;
  };
  log: Log;
}

/** The number of skills that are read at a time. */
const pageSize = 100;

interface Pattern {
  text: string;
  matches: (name: string) => boolean;
}

/** Creates the activation. Nothing is activated before `start`, but for skills that are published. */
export function createConfiguredActivation(deps: ConfiguredActivationDeps): ConfiguredActivation {
  const patterns = deps.activate.map((text): Pattern => ({ text, matches: compileGlob(normalisedName(text)) }));
  const isNamed = ({ namespace, name }: { namespace: string; name: string }) =>
    namespace === deps.namespace && patterns.some(({ matches }) => matches(name));
  return {
    start: async () => {
      await deactivateUnnamed(deps, isNamed);
      const unmatched = new Set(patterns);
      if (patterns.length > 0) {
        for await (const skill of skillsOf(deps)) {
          for (const pattern of unmatched) if (pattern.matches(skill.name)) unmatched.delete(pattern);
          if (isNamed(skill)) await activate(deps, skill);
        }
      }
      for (const { text } of unmatched) {
        deps.log.warn('skills.activate names no skill of its namespace', { pattern: text, namespace: deps.namespace });
      }
    },
    onPublished: async (skill) => {
      if (isNamed(skill)) await activate(deps, skill);
    },
  };
}

async function* skillsOf({ skillStore, namespace }: ConfiguredActivationDeps): AsyncGenerator<Skill> {
  let after: string | undefined;
  while (true) {
    const page = await skillStore.listSkills({ namespace, after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = skillCursor(last);
    await nextSlice();
  }
}

async function activate(deps: ConfiguredActivationDeps, skill: Skill): Promise<void> {
  const { namespace, name, skillId, latestVersion } = skill;
  await logged(deps, { name, failure: 'A skill of skills.activate is not activated' }, async () => {
    const current = await deps.skillStore.findActivation(skillId);
    if (current !== undefined && (current.version === latestVersion || !isByConfiguration(current))) return;
    const options = { cause: 'configuration' } as const;
    await deps.lifecycle.activate(callerIn(namespace), { namespace, name }, options);
  });
}

async function deactivateUnnamed(
  deps: ConfiguredActivationDeps,
  isNamed: (skill: { namespace: string; name: string }) => boolean,
): Promise<void> {
  for (const activation of await deps.skillStore.listActivations({})) {
    const { namespace, skillName: name } = activation;
    if (!isByConfiguration(activation) || isNamed({ namespace, name })) continue;
    await logged(deps, { name, failure: 'A skill that skills.activate names no more stays active' }, () =>
      deps.lifecycle.deactivate(callerIn(namespace), { namespace, name }),
    );
  }
}

/** No key may have the hub's name, and nothing else activates a skill in it. */
function isByConfiguration({ agentId }: Activation): boolean {
  return agentId === hubCaller.agentId;
}

function callerIn(namespace: string): Caller {
  return { ...hubCaller, namespace };
}

async function logged(
  { log }: ConfiguredActivationDeps,
  { name, failure }: { name: string; failure: string },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    // A skill that was deleted meanwhile needs nothing.
    if (error instanceof HestiaError && error.code === 'NOT_FOUND') return;
    const reason = error instanceof HestiaError ? error.message : 'unknown failure';
    log.error(failure, { skill_name: name, reason }, { error });
  }
}
