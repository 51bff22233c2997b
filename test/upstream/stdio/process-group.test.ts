/** Process groups of children, when the hub's process ends without closing them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isRunning } from '../../support/is-running.ts';
import { waitFor } from '../../support/wait-for.ts';

test('a process that exits kills the groups that it has started', async () => {
  const module = new URL('../../../src/upstream/stdio/process-group.ts', import.meta.url);
  // The child ignores the end of its input and SIGTERM, and ends after longer than the test.
  const child = "process.on('SIGTERM', () => {}); process.stdout.write('x'); setTimeout(() => {}, 60_000)";
  const script = `
    const { startProcessGroup } = await import('${module}');
    const child = startProcessGroup({ command: process.execPath, args: ['-e', ${JSON.stringify(child)}], env: {} });
    child.stdout.once('data', () => {
      console.log(child.pid);
      process.exit(0);
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const pid = Number(stdout);
  expect(pid).toBeGreaterThan(1);
  await waitFor(() => expect(isRunning(pid)).toBe(false));
});
