/** Skill directories on real files, and a skill watcher with the reports it made. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { createNameClaims } from '../../src/domain/skill/name-claims.ts';
import { createSkillWatch, type SkillWatch } from '../../src/domain/skill/watch.ts';
import { createBackgroundPace } from '../../src/flow/background-pace.ts';
import type { HestiaError } from '../../src/shapes/error.ts';
import type { SkillDocument } from '../../src/shapes/skill.ts';

/** One call of a listener of the watcher. */
export type WatchReport =
  | { kind: 'skill'; name: string; document: SkillDocument }
  | { kind: 'gone'; name: string }
  | { kind: 'broken'; name: string; error: HestiaError };

/** A watcher with its reports and warnings so far. */
export interface TestWatch {
  directory: string;
  watch: SkillWatch;
  reported: WatchReport[];
  warnings: { message: string; fields: Record<string, unknown> }[];
}

/** The directories to watch, by default the one created, and an action of `onSkill` after it is recorded. */
export interface WatchOptions {
  directories?: readonly string[];
  onSkill?: (name: string) => Promise<void>;
  linkTargets?: readonly string[];
}

/** The longest time until a change is reported, in milliseconds. */
export const reportedMsMax = 2000;

/** Creates a temporary directory, removed when the test ends. */
export async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hestia-skills-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Creates a watcher that is not started. It is disposed of when the test ends. */
export function createWatch(
  directory: string,
  { directories = [directory], onSkill = async () => {}, linkTargets = [] }: WatchOptions = {},
): TestWatch {
  const reported: WatchReport[] = [];
  const warnings: TestWatch['warnings'] = [];
  const watch = createSkillWatch({
    directories: directories.map((path) => ({ path })),
    linkTargets,
    claims: createNameClaims(),
    isExpected: () => false,
    pace: createBackgroundPace(),
    log: { warn: (message, fields = {}) => void warnings.push({ message, fields }) },
    onSkill: async ({ name, document }) => {
      reported.push({ kind: 'skill', name, document });
      await onSkill(name);
      return { outcome: 'published', warned: document.warnings.length > 0 };
    },
    onGone: async ({ name }) => void reported.push({ kind: 'gone', name }),
    onBroken: ({ name, error }) => void reported.push({ kind: 'broken', name, error }),
  });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  return { directory, watch, reported, warnings };
}

/** A valid SKILL.md. */
export function skillText(name: string, body = 'Do it.'): string {
  return `---\nname: ${name}\ndescription: Does ${name}.\n---\n${body}\n`;
}

/** Writes a valid SKILL.md into the folder of its name. */
export async function writeSkill(directory: string, name: string, body?: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'SKILL.md'), skillText(name, body));
}

/** The reports as text: `skill alpha: the instructions`, `gone alpha`, `broken alpha: the violated fields`. */
export function summaryOf(reported: readonly WatchReport[]): string[] {
  return reported.map((one) => {
    switch (one.kind) {
      case 'skill':
        return `skill ${one.name}: ${one.document.instructions}`;
      case 'gone':
        return `gone ${one.name}`;
      case 'broken':
        return `broken ${one.name}: ${one.error.violations.map(({ field }) => field).join(', ')}`;
    }
    return one satisfies never;
  });
}

/** Waits until the reports are exactly these. */
export function untilReported(
  reported: readonly WatchReport[],
  expected: readonly string[],
  timeout = reportedMsMax,
): Promise<void> {
  return vi.waitFor(() => expect(summaryOf(reported)).toEqual(expected), { timeout, interval: 20 });
}

/** The document of the last report, which must be of a skill. */
export function documentOf(reported: readonly WatchReport[]): SkillDocument {
  const last = reported.at(-1);
  if (last?.kind !== 'skill') throw new Error('the last report is not of a skill');
  return last.document;
}

/** Creates and starts a watcher of a directory that contains these skills. */
export async function startedWatch(names: readonly string[] = [], options: WatchOptions = {}): Promise<TestWatch> {
  const directory = await createDirectory();
  for (const name of names) await writeSkill(directory, name);
  const watched = createWatch(directory, options);
  await watched.watch.start();
  return watched;
}
