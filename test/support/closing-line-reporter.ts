/**
 * The last lines of a test run: what was left out, then `N passed, N failed`, alone on its line, whatever else was
 * printed before. What fails outside a test (a file that cannot be loaded, an unhandled rejection) counts as failed.
 */
import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node';

/** Tests that passed, and tests and errors outside tests that failed. */
export interface RunTotals {
  passed: number;
  failed: number;
}

/** The type of the annotation by which a test tells what it stands for and leaves out. */
export const leftOutAnnotation = 'left-out';

const stdout = 1;

/** Counts a finished run. A run that failed for a reason no test knows of (no test was found) has one failure. */
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
      // A test that never ended, because its process died or the run was interrupted, has not held its guarantee.
      if (state === 'failed' || state === 'pending') totals.failed += 1;
    }
  }
  if (reason !== 'passed' && totals.failed === 0) totals.failed = 1;
  return totals;
}

/** What tests said they leave out, each once, in the alphabet's order. */
export function leftOut(modules: readonly TestModule[]): string[] {
  const messages = modules
    .flatMap((module) => [...module.children.allTests()])
    .flatMap((test) => test.annotations())
    .filter(({ type }) => type === leftOutAnnotation)
    .map(({ message }) => message);
  return [...new Set(messages)].sort();
}

/** The line for a run's totals. */
export function closingLine(totals: RunTotals): string {
  return `${totals.passed} passed, ${totals.failed} failed`;
}

/** Prints what was left out and the closing line as the process exits, so that nothing of vitest can follow it. */
export class ClosingLineReporter implements Reporter {
  // A run that never reports its end was not a run that passed.
  #totals: RunTotals = { passed: 0, failed: 1 };
  #leftOut: string[] = [];

  /** Called once at start. */
  onInit(): void {
    process.once('exit', () => {
      const lines = [...this.#leftOut.map((message) => `left out: ${message}`), closingLine(this.#totals)];
      writeSync(stdout, `\n${lines.join('\n')}\n`);
    });
  }

  /** Called at the end of each run; in watch mode the last one counts. */
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    this.#totals = runTotals(modules, unhandledErrors, reason);
    this.#leftOut = leftOut(modules);
  }
}
