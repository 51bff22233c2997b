/**
 * Programs that some tests need and a bare machine may lack. On such a machine the tests that need one are left out
 * and named; in continuous integration (`CI=true`) a missing one fails.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

/** Programs by name, and how to see that they are there. */
const probes = {
  jq: ['jq', ['--version']],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

/** A program that tests may need. */
export type Requirement = keyof typeof probes;

/** Whether the program is on this machine. */
export function isPresent(requirement: Requirement): boolean {
  const [command, args] = probes[requirement];
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** What the tests of `subject` are declared in: themselves, or one test that says what is missing. */
export function describeWith(requirement: Requirement, subject: string, tests: () => void): void {
  if (isPresent(requirement)) {
    describe(subject, tests);
    return;
  }
  test(`${subject}: left out, ${requirement} is not on this machine`, () => {
    process.stderr.write(`left out: ${subject} (${requirement} is not on this machine)\n`);
    expect(process.env.CI, `${requirement} must be installed in continuous integration`).not.toBe('true');
  });
}
