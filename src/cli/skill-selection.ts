/** The skills that a command names: by name, by glob, or all. */
import { compileGlob } from '../flow/glob.ts';
import { skillViewSchema } from '../shapes/skill-view.ts';
import { printable } from '../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import type { HubClient } from './hub-client.ts';

/** The options of commands for skills. */
export type SkillOptions = HubOptions & { namespace?: string };

/** The query that names another namespace. */
export function namespaceQuery({ namespace }: SkillOptions): string {
  return namespace === undefined ? '' : `?${new URLSearchParams({ namespace })}`;
}

/**
 * Runs `work` for each skill that is named, one after the other. A single name is not looked up. Where one of several fails, the
 * others are done, and the command fails at the end.
 * @param isActiveOnly globs and `--all` select active skills only
 */
export async function forEachSkill(
  {
    names,
    options,
    context,
    isActiveOnly = false,
  }: {
    names: readonly string[];
    options: SkillOptions & { all?: true };
    context: CommandContext;
    isActiveOnly?: boolean;
  },
  work: (name: string, hub: HubClient) => Promise<void>,
): Promise<void> {
  if ((names.length === 0) === (options.all !== true)) {
    throw new CommandError(exitCodes.usage, 'name the skills, or give --all');
  }
  const hub = hubOf(options);
  const selected = await select(names, { options, hub, isActiveOnly, signal: context.signal });
  const [only] = selected;
  if (only !== undefined && selected.length === 1) return work(only, hub);
  const failures: string[] = [];
  for (const name of selected) {
    try {
      await work(name, hub);
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode !== exitCodes.failed) throw error;
      failures.push(`${name}: ${error.message}`);
    }
  }
  if (failures.length === 0) return;
  throw new CommandError(exitCodes.failed, `${failures.length} of ${selected.length} failed; ${failures.join('; ')}`);
}

async function select(
  names: readonly string[],
  {
    options,
    hub,
    isActiveOnly,
    signal,
  }: { options: SkillOptions; hub: HubClient; isActiveOnly: boolean; signal: AbortSignal },
): Promise<string[]> {
  const isGlob = (name: string) => /[*?]/.test(name);
  if (names.length > 0 && !names.some(isGlob)) return [...new Set(names)];
  const listed = await hub.list(`/v1/skills${namespaceQuery(options)}`, skillViewSchema.loose(), signal);
  const known = listed.filter(({ activation }) => !isActiveOnly || activation !== undefined).map(({ name }) => name);
  const globs = names.length === 0 ? ['*'] : names;
  const selected = globs.flatMap((glob) => {
    const found = isGlob(glob) ? known.filter(compileGlob(glob)) : [glob];
    if (found.length > 0) return found;
    const what = isActiveOnly ? 'active skill' : 'skill';
    throw new CommandError(exitCodes.failed, `no ${what} matches ${printable(glob)}`);
  });
  return [...new Set(selected)];
}
