/**
 * Synchronisation of watched skill directories with the registry.
 * A new or changed SKILL.md is published. A skill whose folder is missing for the grace period is retired. A broken one is
 * logged, and its last valid version stays. The tool of an active skill changes only when the skill is activated again.
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { BackgroundPace } from '../flow/background-pace.ts';
import { nextSlice } from '../flow/time-slices.ts';
import { type Caller, hubCaller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import type { SkillDocument } from '../shapes/skill.ts';
import type { SkillOrigin } from '../stores/skill-store.ts';
import { timed } from '../telemetry/duration.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes, spanNames } from '../telemetry/names.ts';
import { failSpan, inSpan } from '../telemetry/span.ts';
import type { SkillDirectory } from './skill/directories.ts';
import { isWithin } from './skill/folder.ts';
import { createNameClaims } from './skill/name-claims.ts';
import type { FolderOutcome, PassReport } from './skill/pass-report.ts';
import { createSkillWatch, type SkillFolder } from './skill/watch.ts';
import type { SkillService } from './skill-service.ts';

/** The synchronisation. Disposal stops the file watchers. */
export interface SkillSync extends AsyncDisposable {
  /** Reads all directories and starts watching them. */
  start(): Promise<void>;
  /** Reads all directories again and retires skills that are missing. Applies changes that the file watchers missed. */
  fullPass(): Promise<void>;
  /** Publishes the folder of a skill again, such as after its approval. Does nothing for a skill without a folder. */
  repeat(skill: { namespace: string; name: string }): Promise<void>;
}

/** Dependencies of the synchronisation. `directories` and `linkTargets` are absolute paths. */
export interface SkillSyncDeps {
  directories: readonly SkillDirectory[];
  linkTargets: readonly string[];
  namespace: string;
  /** Refuse skills that deviate from the specification. */
  strict: boolean;
  /** How long a folder may be missing before its skill is retired. */
  graceSeconds: number;
  skills: SkillService;
  pace: Pick<BackgroundPace, 'start'>;
  metrics: Metrics;
  log: Log;
}

/** Creates the synchronisation. Nothing is read before `start`. */
export function createSkillSync(deps: SkillSyncDeps): SkillSync {
  const sync = new DirectorySync(deps);
  return {
    start: () => sync.start(),
    fullPass: () => sync.fullPass(),
    repeat: (skill) => sync.repeat(skill),
    [Symbol.asyncDispose]: () => sync[Symbol.asyncDispose](),
  };
}

/** Warnings of one skill that are logged; the skill has all of them. */
const warningsLoggedMax = 10;

class DirectorySync implements SkillSync {
  readonly #deps: SkillSyncDeps;
  readonly #caller: Caller;
  readonly #claims = createNameClaims();
  readonly #watch;
  /** The folders of the skills that were in use before the start. */
  #expected: string[] = [];
  /** The timer of each skill whose folder is missing, by name. */
  readonly #missing = new Map<string, NodeJS.Timeout>();

  constructor(deps: SkillSyncDeps) {
    this.#deps = deps;
    this.#caller = { ...hubCaller, namespace: deps.namespace };
    this.#watch = createSkillWatch({
      ...deps,
      claims: this.#claims,
      isTaken: async (name) => (await deps.skills.sourceOf(this.#caller, name)) === 'published',
      isExpected: (directory) => this.#expected.some((origin) => isWithin(origin, directory)),
      onSkill: (found) => this.#publish(found),
      onGone: async ({ folder, name }) => this.#retireLater(name, folder),
      onBroken: ({ folder, name, error }) => {
        this.#isBack(name);
        const violations = error.violations.map(({ field, message }) => `${field}: ${message}`).join('; ');
        const fields = { skill_name: name, folder, error_type: error.code, reason: violations || error.message };
        deps.log.warn('A skill in a watched directory is refused; a version published earlier stays', fields);
      },
    });
  }

  async start(): Promise<void> {
    for (const { name, origin, retired } of await this.#origins()) {
      if (origin === undefined) continue;
      this.#claims.remember(origin, name);
      if (!retired) this.#expected.push(origin);
    }
    await this.#finish(await this.#watch.start());
  }

  async fullPass(): Promise<void> {
    await this.#finish(await this.#watch.fullPass());
  }

  async repeat({ namespace, name }: { namespace: string; name: string }): Promise<void> {
    if (namespace === this.#deps.namespace) await this.#watch.repeat(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#missing.values()) clearTimeout(timer);
    this.#missing.clear();
    await this.#watch[Symbol.asyncDispose]();
  }

  #origins(): Promise<SkillOrigin[]> {
    return this.#deps.skills.origins(this.#caller);
  }

  /** Compares the registry with what was found, and logs the result of the pass. */
  async #finish(report: PassReport): Promise<void> {
    const registered = new Set<string>();
    for (const { name, origin, retired } of await this.#origins()) {
      if (retired) continue;
      registered.add(name);
      if (!report.names.has(name) && !report.mayExist(origin)) this.#retireLater(name, origin);
    }
    const lost = [...report.names].filter(([name, { published }]) => published && !registered.has(name));
    for (const [name] of lost) {
      await this.#watch.repeat(name);
      await nextSlice();
    }
    if (this.#deps.directories.length === 0) return;
    const { found, published, unchanged, warned, refused, notSearched } = report;
    const counts = { found, published, unchanged, warned, refused, not_searched: notSearched.length };
    this.#deps.log.info('Skill directories were read', counts);
  }

  #publish({ folder, name, document }: SkillFolder & { document: SkillDocument }): Promise<FolderOutcome> {
    this.#isBack(name);
    return traced(this.#deps, name, async () => {
      const publication = { document, source: 'directory', origin: folder } as const;
      const { change, warnings } = await this.#deps.skills.publish(this.#caller, publication);
      if (change === 'unchanged') return { outcome: 'unchanged', warned: warnings.length > 0 };
      for (const { field, message } of warnings.slice(0, warningsLoggedMax)) {
        const reason = `${field}: ${message}`;
        this.#deps.log.warn('A skill is published with a warning', { skill_name: name, reason });
      }
      return { outcome: 'published', warned: warnings.length > 0 };
    });
  }

  #isBack(name: string): void {
    clearTimeout(this.#missing.get(name));
    this.#missing.delete(name);
  }

  /** Retires a skill after the grace period, unless its folder is back or another has its name by then. */
  #retireLater(name: string, folder: string | undefined): void {
    const isHeldByOther = folder !== undefined && (this.#claims.folderOf(name) ?? folder) !== folder;
    if (this.#missing.has(name) || isHeldByOther) return;
    const retire = async () => {
      this.#missing.delete(name);
      await traced(this.#deps, name, async () => {
        await this.#deps.skills.retire(this.#caller, { name }).catch(ignoreAbsent);
        return { outcome: 'unchanged', warned: false };
      }).catch((error: unknown) =>
        this.#deps.log.error('A missing skill was not retired', { skill_name: name }, { error }),
      );
    };
    this.#missing.set(name, setTimeout(() => void retire(), this.#deps.graceSeconds * 1000).unref());
  }
}

/** A folder whose skill was refused, or deleted meanwhile, has nothing to retire. */
function ignoreAbsent(error: unknown): void {
  if (!(error instanceof HestiaError) || error.code !== 'NOT_FOUND') throw error;
}

/** Errors of the registry that are permanent for the same content, so the watcher must not retry. */
const permanentErrors: ReadonlySet<string> = new Set(['CONFLICT', 'INJECTION_SUSPECTED']);

/** Runs one change in a span and measures it. Permanent errors are logged; all others are thrown. */
function traced(
  { metrics, log }: SkillSyncDeps,
  name: string,
  work: () => Promise<FolderOutcome>,
): Promise<FolderOutcome> {
  return timed(
    (seconds, errorType) => metrics.skillOperation(seconds, 'sync', errorType),
    () =>
      inSpan(
        spanNames.skillSync,
        { parent: ROOT_CONTEXT, attributes: { [attributes.skillName]: name } },
        async (span) => {
          try {
            return await work();
          } catch (error) {
            if (!(error instanceof HestiaError) || !permanentErrors.has(error.code)) throw error;
            failSpan(span, error.code);
            log.warn('A skill in a watched directory cannot be published', { skill_name: name, reason: error.message });
            return { outcome: 'refused', warned: false };
          }
        },
      ),
  );
}
