/**
 * Synchronisation of watched skill directories with the registry.
 * A new or changed SKILL.md is published and a deleted one removed. A broken one is logged, and its last valid version
 * stays. The tool of an active skill changes only when the skill is activated again.
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

/** The synchronisation. Disposal stops the file watchers. */
export interface SkillSync extends AsyncDisposable {
  /** Reads all directories and starts watching them. */
  start(): Promise<void>;
  /** Reads all directories again and removes deleted skills. Applies changes that the file watchers missed. */
  fullPass(): Promise<void>;
}

/** Dependencies of the synchronisation. `directories` are absolute paths. */
export interface SkillSyncDeps {
  directories: readonly string[];
  namespace: string;
  /** Refuse skills that deviate from the specification. */
  strict: boolean;
  skills: SkillService;
  metrics: Metrics;
  log: Log;
}

/** The page size for listing registered skills when those without a folder are removed. */
const pageSize = 100;

/** Creates the synchronisation. Nothing is read before `start`. */
export function createSkillSync(deps: SkillSyncDeps): SkillSync {
  const caller: Caller = { ...hubCaller, namespace: deps.namespace };
  const watch = createSkillWatch({
    directories: deps.directories,
    strict: deps.strict,
    log: deps.log,
    onSkill: ({ folderName, document }) =>
      traced(deps, folderName, async () => {
        const { change, warnings } = await deps.skills.publish(caller, { document, source: 'directory' });
        if (change !== 'unchanged')
          for (const { field, message } of warnings)
            deps.log.warn('A skill is published with a warning', {
              skill_name: folderName,
              reason: `${field}: ${message}`,
            });
      }),
    onGone: ({ folder }) => traced(deps, skillNameOf(folder), () => removeIfPresent(deps, caller, skillNameOf(folder))),
    onBroken: ({ folder, folderName, error }) => {
      const violations = error.violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
      const fields = { skill_name: folderName, folder, error_type: error.code, reason: violations || error.message };
      deps.log.warn('A skill in a watched directory is broken; its last valid version stays', fields);
    },
  });
  // After an incomplete listing, a folder that was not seen may still exist.
  const removeAbsent = async ({ seen, complete }: FullPassReport) => {
    if (complete) await removeUnseen(deps, caller, new Set(seen.map(skillNameOf)));
  };
  return {
    start: async () => removeAbsent(await watch.start()),
    fullPass: async () => removeAbsent(await watch.fullPass()),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

/** Errors of the registry that are permanent for the same content, so the watcher must not retry. */
const permanentErrors: ReadonlySet<string> = new Set(['CONFLICT', 'INJECTION_SUSPECTED']);

/** Runs one change in a span and measures it. Permanent errors are logged; all others are thrown. */
function traced({ metrics, log }: SkillSyncDeps, folderName: string, work: () => Promise<void>): Promise<void> {
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
            if (!(error instanceof HestiaError) || !permanentErrors.has(error.code)) throw error;
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

/** Removes skills that were published from a directory in an earlier run and have no folder now. */
async function removeUnseen(deps: SkillSyncDeps, caller: Caller, seen: ReadonlySet<string>): Promise<void> {
  let after: string | undefined;
  while (true) {
    const page = await deps.skills.list(caller, { namespace: caller.namespace, after, limit: pageSize });
    for (const { skill } of page) {
      if (skill.source === 'directory' && !seen.has(skill.name)) {
        await traced(deps, skill.name, () => removeIfPresent(deps, caller, skill.name));
      }
    }
    after = page.at(-1)?.skill.name;
    if (page.length < pageSize) return;
    // Reads of the registry do not yield to the event loop. Without this, thousands of skills would block it.
    await setImmediate();
  }
}

/** The name of the skill in a folder: the folder's name, normalised as the parser normalises the skill's. */
function skillNameOf(folder: string): string {
  return basename(folder).normalize('NFKC');
}
