/**
 * Programs that some tests need and a bare machine may lack. On such a machine the tests that need one are left out
 * and named at the end of the run; in continuous integration (`CI=true`) a missing one fails.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { leftOutAnnotation } from './closing-line-reporter.ts';

/** Programs by name, with the arguments that only make them say that they are there. */
const probes = { jq: ['--version'] } as const satisfies Record<string, readonly string[]>;

/** A program that tests may need. */
export type Requirement = keyof typeof probes;

/** Whether the program is on this machine. Runs it once. */
export function isPresent(requirement: Requirement): boolean {
  return spawnSync(requirement, probes[requirement], { stdio: 'ignore' }).status === 0;
}

/** Declares the tests of `subject`, or, on a machine that lacks the program, the one test that says so. */
export function describeWith(requirement: Requirement, subject: string, tests: () => void): void {
  if (isPresent(requirement)) {
    describe(subject, tests);
    return;
  }
  describe(subject, () => {
    test(`left out: ${requirement} is not installed`, async ({ annotate }) => {
      await annotate(`${subject} (${requirement} is not installed)`, leftOutAnnotation);
      expect(process.env.CI, `${requirement} must be installed in continuous integration`).not.toBe('true');
    });
  });
}
