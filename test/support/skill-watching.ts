/** Skill directories on real files, watched, and what the watch tells of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { createSkillWatch, type SkillWatch } from '../../src/domain/skill/watch.ts';
import type { HestiaError } from '../../src/shapes/error.ts';
import type { SkillDocument } from '../../src/shapes/skill.ts';

/** One call of a listener. */
export type Told =
  | { kind: 'skill'; folderName: string; document: SkillDocument }
  | { kind: 'gone'; folderName: string }
  | { kind: 'broken'; folderName: string; error: HestiaError };

/** A watch with what it has told and warned of so far. */
export interface Watched {
  directory: string;
  watch: SkillWatch;
  told: Told[];
  warnings: { message: string; fields: Record<string, unknown> }[];
}

/** Which directories, if not the one; what `onSkill` does besides being heard. */
export interface WatchOptions {
  directories?: readonly string[];
  onSkill?: (folderName: string) => Promise<void>;
}

/** How soon a change must be told. */
export const toldMsMax = 2000;

/** A directory of its own, removed when the test ends. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hestia-skills-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A watch that is not started; disposed of when the test ends. */
export function makeWatch(
  directory: string,
  { directories = [directory], onSkill = async () => {} }: WatchOptions = {},
): Watched {
  const told: Told[] = [];
  const warnings: Watched['warnings'] = [];
  const watch = createSkillWatch({
    directories,
    log: { warn: (message, fields = {}) => void warnings.push({ message, fields }) },
    onSkill: async ({ folderName, document }) => {
      told.push({ kind: 'skill', folderName, document });
      await onSkill(folderName);
    },
    onGone: async ({ folderName }) => void told.push({ kind: 'gone', folderName }),
    onBroken: ({ folderName, error }) => void told.push({ kind: 'broken', folderName, error }),
  });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  return { directory, watch, told, warnings };
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

/** What was told, as `skill alpha: the instructions`, `gone alpha`, `broken alpha: the violated fields`. */
export function summaryOf(told: readonly Told[]): string[] {
  return told.map((one) => {
    switch (one.kind) {
      case 'skill':
        return `skill ${one.folderName}: ${one.document.instructions}`;
      case 'gone':
        return `gone ${one.folderName}`;
      case 'broken':
        return `broken ${one.folderName}: ${one.error.violations.map(({ field }) => field).join(', ')}`;
    }
    return one satisfies never;
  });
}

/** Waits until exactly this was told. */
export function toldWithin(told: readonly Told[], expected: readonly string[], timeout = toldMsMax): Promise<void> {
  return vi.waitFor(() => expect(summaryOf(told)).toEqual(expected), { timeout, interval: 20 });
}

/** The document of the last call, which must be of a skill. */
export function documentOf(told: readonly Told[]): SkillDocument {
  const last = told.at(-1);
  if (last?.kind !== 'skill') throw new Error('the last call told of no skill');
  return last.document;
}

/** A started watch over a directory that holds these skills. */
export async function startedWatch(names: readonly string[] = [], options: WatchOptions = {}): Promise<Watched> {
  const directory = await makeDirectory();
  for (const name of names) await writeSkill(directory, name);
  const watched = makeWatch(directory, options);
  await watched.watch.start();
  return watched;
}
