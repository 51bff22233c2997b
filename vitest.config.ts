/** How the tests run: two files at a time, each in a process of its own, and no telemetry that leaves it unasked. */
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';

const workersMax = 2;
const testTimeoutMs = 20_000;
const hookTimeoutMs = 30_000;

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: workersMax,
    testTimeout: testTimeoutMs,
    hookTimeout: hookTimeoutMs,
    // node:sqlite warns once in each process that it is experimental; the summary stays readable without.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { OTEL_SDK_DISABLED: 'true' },
    reporters: ['default', new ClosingLineReporter()],
  },
});
