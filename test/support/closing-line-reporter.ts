/**
 * A vitest reporter that prints the final lines of a run: omitted tests, then `N passed, N failed` on its own line.
 * Failures outside a test (a file that cannot be loaded, an unhandled rejection) count as failed.
 */
import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node';

/** Tests that passed, and tests and errors outside tests that failed. */
export interface RunTotals {
  passed: number;
  failed: number;
}

/** The type of the annotation by which a test names the tests that it replaces. */
export const leftOutAnnotation = 'left-out';

const stdout = 1;

/** Counts a finished run. A run that failed without a failed test (no test was found) has one failure. */
export function runTotals(
  modules: readonly TestModule[],
  unhandledErrors: readonly SerializedError[],
  reason: TestRunEndReason,
): RunTotals {
  const totals = { passed: 0, failed: unhandledErrors.length };
  for (const module of modules) {
    totals.failed += module.errors().length;
    for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') totals.passed += 1;
      // A test that did not finish, because its process died or the run was interrupted, counts as failed.
      if (state === 'failed' || state === 'pending') totals.failed += 1;
    }
  }
  if (reason !== 'passed' && totals.failed === 0) totals.failed = 1;
  return totals;
}

/** The omitted tests, each once, in alphabetical order. */
export function leftOut(modules: readonly TestModule[]): string[] {
  const messages = modules
    .flatMap((module) => [...module.children.allTests()])
    .flatMap((test) => test.annotations())
    .filter(({ type }) => type === leftOutAnnotation)
    .map(({ message }) => message);
  return [...new Set(messages)].sort();
}

/** The closing line for the totals of a run. */
export function closingLine(totals: RunTotals): string {
  return `${totals.passed} passed, ${totals.failed} failed`;
}

/** Prints the omitted tests and the closing line when the process exits, so that no output of vitest follows. */
export class ClosingLineReporter implements Reporter {
  // A run that never reports its end has not passed.
  #totals: RunTotals = { passed: 0, failed: 1 };
  #leftOut: string[] = [];

  /** Called once at start. */
  onInit(): void {
    process.once('exit', () => {
      const lines = [...this.#leftOut.map((message) => `left out: ${message}`), closingLine(this.#totals)];
      writeSync(stdout, `\n${lines.join('\n')}\n`);
    });
  }

  /** Called at the end of each run. In watch mode the last run counts. */
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    this.#totals = runTotals(modules, unhandledErrors, reason);
    this.#leftOut = leftOut(modules);
  }
}
