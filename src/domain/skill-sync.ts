/**
 * Watched directories kept in the registry: a new or changed SKILL.md is published, a deleted one removed, a broken
 * one reported while the last good version stays. An active skill's tool changes only when activated again.
 */
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import { timed } from '../telemetry/duration.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import { createSkillWatch, type FullPassReport } from './skill/watch.ts';
import type { SkillService } from './skill-service.ts';

/** Synchronisation of the watched directories. Disposing stops the watchers. */
export interface SkillSync extends AsyncDisposable {
  /** Reads all directories and begins to watch them. */
  start(): Promise<void>;
  /** Reads everything again and removes what is gone; repairs what a watcher missed. */
  fullPass(): Promise<void>;
}

/** What synchronisation is made of. `directories` are absolute paths. */
export interface SkillSyncDeps {
  directories: readonly string[];
  namespace: string;
  skills: SkillService;
  metrics: Metrics;
  log: Log;
}

/** Skills looked at in one page when those whose folder is gone are removed. */
const pageSize = 100;

/** Makes the synchronisation; nothing is read before `start`. */
export function createSkillSync(deps: SkillSyncDeps): SkillSync {
  const caller: Caller = { ...hubCaller, namespace: deps.namespace };
  const watch = createSkillWatch({
    directories: deps.directories,
    log: deps.log,
    onSkill: ({ folderName, document }) =>
      observed(deps, folderName, async () => {
        const { change, warnings } = await deps.skills.publish(caller, { document, source: 'directory' });
        if (change !== 'unchanged')
          for (const { field, message } of warnings)
            deps.log.warn('A skill is published with a warning', {
              skill_name: folderName,
              reason: `${field}: ${message}`,
            });
      }),
    onGone: ({ folder }) =>
      observed(deps, skillNameOf(folder), () => removeIfPresent(deps, caller, skillNameOf(folder))),
    onBroken: ({ folder, folderName, error }) => {
      const violations = error.violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
      const fields = { skill_name: folderName, folder, error_type: error.code, reason: violations || error.message };
      deps.log.warn('A skill in a watched directory is broken; its last good version stays', fields);
    },
  });
  // A directory that was not listed whole proves nothing about what is absent.
  const removeAbsent = async ({ seen, complete }: FullPassReport) => {
    if (complete) await removeUnseen(deps, caller, new Set(seen.map(skillNameOf)));
  };
  return {
    start: async () => removeAbsent(await watch.start()),
    fullPass: async () => removeAbsent(await watch.fullPass()),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

/** Answers of the registry that reading the same folder again would not change. */
const refusals: ReadonlySet<string> = new Set(['CONFLICT', 'INJECTION_SUSPECTED']);

function observed({ metrics, log }: SkillSyncDeps, folderName: string, work: () => Promise<void>): Promise<void> {
  return timed(
    (seconds, errorType) => metrics.skillOperation(seconds, 'sync', errorType),
    () =>
      inSpan(
        spanNames.skillSync,
        { parent: ROOT_CONTEXT, attributes: { [attributes.skillName]: folderName } },
        async (span) => {
          try {
            await work();
          } catch (error) {
            if (!(error instanceof HestiaError) || !refusals.has(error.code)) throw error;
            failSpan(span, error.code);
            log.warn('A skill in a watched directory cannot be published', {
              skill_name: folderName,
              reason: error.message,
            });
          }
        },
      ),
  );
}

async function removeIfPresent({ skills }: SkillSyncDeps, caller: Caller, name: string): Promise<void> {
  try {
    const { skill } = await skills.get(caller, { name });
    if (skill.source === 'directory') await skills.delete(caller, { name });
  } catch (error) {
    if (!(error instanceof HestiaError) || error.code !== 'NOT_FOUND') throw error;
  }
}

/** Removes skills that came from a directory, in an earlier run, and are in none now. */
async function removeUnseen(deps: SkillSyncDeps, caller: Caller, seen: ReadonlySet<string>): Promise<void> {
  let after: string | undefined;
  while (true) {
    const page = await deps.skills.list(caller, { namespace: caller.namespace, after, limit: pageSize });
    for (const { skill } of page) {
      if (skill.source === 'directory' && !seen.has(skill.name)) {
        await observed(deps, skill.name, () => removeIfPresent(deps, caller, skill.name));
      }
    }
    after = page.at(-1)?.skill.name;
    if (page.length < pageSize) return;
    // The registry answers at once: without a pause, thousands of skills would be looked at in one turn of the event loop.
    await setImmediate();
  }
}

/** A skill has the name of its folder, in the normal form that the document's parser gives it. */
function skillNameOf(folder: string): string {
  return basename(folder).normalize('NFKC');
}
