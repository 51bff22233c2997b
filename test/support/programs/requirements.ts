/**
 * Programs that some tests need and a bare machine may lack. On such a machine the tests that need one are left out
 * and named at the end of the run; in continuous integration (`CI=true`) a missing one fails.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { leftOutAnnotation } from '../closing-line-reporter.ts';
import { chromaProgram } from './chroma-program.ts';
import { collectorProgram } from './collector-program.ts';

/** Programs by name: the command, and the arguments that only make it say that it is there. */
const probes = {
  alertmanager: ['prometheus-alertmanager', '--version'],
  amtool: ['amtool', '--version'],
  chroma: [chromaProgram(), '--version'],
  jq: ['jq', '--version'],
  otelcol: [collectorProgram(), '--version'],
  prometheus: ['prometheus', '--version'],
  promtool: ['promtool', '--version'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/** A program that tests may need. */
export type Requirement = keyof typeof probes;

/** Whether the program is on this machine. Runs it once. */
export function isPresent(requirement: Requirement): boolean {
  const [command, ...args] = probes[requirement];
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Declares the tests of `subject`, or, on a machine that lacks a program, one test for each that says so. */
export function describeWith(requirements: Requirement | Requirement[], subject: string, tests: () => void): void {
  const missing = [requirements].flat().filter((requirement) => !isPresent(requirement));
  if (missing.length === 0) {
    describe(subject, tests);
    return;
  }
  describe(subject, () => {
    test.for(missing)('left out: %s is not installed', async (requirement, { annotate }) => {
      await annotate(`${subject} (${requirement} is not installed)`, leftOutAnnotation);
      expect(process.env.CI, `${requirement} must be installed in continuous integration`).not.toBe('true');
    });
  });
}
