/** The vitest configuration: two files at a time, each in a process of its own, and telemetry off by default. */
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';

const workersMax = 2;
// Limits for what hangs. Tests wait for states, and on a busy machine a state takes longer.
const testTimeoutMs = 120_000;
const hookTimeoutMs = 300_000;
const pollTimeoutMs = 30_000;

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: workersMax,
    testTimeout: testTimeoutMs,
    hookTimeout: hookTimeoutMs,
    expect: { poll: { timeout: pollTimeoutMs } },
    // Without it, node:sqlite prints a warning in each process.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { OTEL_SDK_DISABLED: 'true' },
    reporters: ['default', new ClosingLineReporter()],
  },
});
