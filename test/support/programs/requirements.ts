/**
 * Programs that some tests require. Tests whose program is not installed are omitted and named at the end of the run.
 * In continuous integration (`CI=true`), a missing program is a failure.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { leftOutAnnotation } from '../closing-line-reporter.ts';
import { chromaProgram } from './chroma-program.ts';
import { collectorProgram } from './collector-program.ts';
import { logVerifierProgram } from './log-verifier-program.ts';

/** Programs by name: the command, and arguments with which it exits without effects. */
const probes = {
  alertmanager: ['prometheus-alertmanager', '--version'],
  amtool: ['amtool', '--version'],
  chroma: [chromaProgram(), '--version'],
  jq: ['jq', '--version'],
  'log-verifier': [logVerifierProgram(), '-help'],
  otelcol: [collectorProgram(), '--version'],
  prometheus: ['prometheus', '--version'],
  promtool: ['promtool', '--version'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/** A program that tests may require. */
export type Requirement = keyof typeof probes;

/** Whether the program is installed. Runs it once. */
export function isPresent(requirement: Requirement): boolean {
  const [command, ...args] = probes[requirement];
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Declares the tests of `subject` or, if a program is not installed, one test that reports it. */
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
