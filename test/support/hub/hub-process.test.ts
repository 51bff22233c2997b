/** A hub process that does not become ready is stopped, and the error says what it wrote. */
import { expect, test } from 'vitest';
import { startHubProcess } from './hub-process.ts';

test('a process that never becomes ready no longer runs once the wait for it has failed', async () => {
  await using hub = await startHubProcess({ entry: ['--eval', 'setInterval(() => undefined, 1000)'] });
  await expect(hub.ready(200)).rejects.toThrow('the hub did not start');
  expect(hub.child.signalCode).toBe('SIGKILL');
  expect(await hub.exited).toBeNull();
});

test('a process that exits instead is reported with its standard error', async () => {
  await using hub = await startHubProcess({ entry: ['--eval', 'console.error("no disk"); process.exit(3)'] });
  await expect(hub.ready()).rejects.toThrow('no disk');
  expect(await hub.exited).toBe(3);
});
