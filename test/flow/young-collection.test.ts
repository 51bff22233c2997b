/** The garbage collector of the hub. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const work = `
  const { collectYoungOnOneThread } = await import(${JSON.stringify(new URL('../../src/flow/young-collection.ts', import.meta.url).href)});
  collectYoungOnOneThread();
  const kept = [];
  for (let index = 0; index < 600_000; index += 1) kept.push({ index });
`;

test('young objects are collected by one thread, also if that is set while the process runs', () => {
  const options = ['--trace-gc', '--trace-parallel-scavenge', '--input-type=module', '--eval', work];
  const { stdout, status } = spawnSync(process.execPath, options, { encoding: 'utf8' });
  expect(status).toBe(0);
  const collections = stdout.match(/: Scavenge/g) ?? [];
  expect(collections.length).toBeGreaterThan(1);
  // One line for each thread that takes part in a collection.
  expect(stdout.match(/ scavenge\[/g)).toHaveLength(collections.length);
});
