/** The limit of memory: derived from the heap that V8 gives the process, and never more than half of its machine or container. */
import { execFileSync } from 'node:child_process';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { memoryLimitBytes } from '../../src/flow/memory-watch.ts';

const file = fileURLToPath(new URL('../../src/flow/memory-watch.ts', import.meta.url));
const mebibyte = 2 ** 20;

/** The limit in a process of its own, whose heap has at most this size. */
function limitWithHeap(heapMiB: number): number {
  const script = `import { memoryLimitBytes } from ${JSON.stringify(file)}; console.log(memoryLimitBytes(undefined));`;
  const args = [`--max-old-space-size=${heapMiB}`, '--input-type=module', '--eval', script];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe('the memory that a process may hold', () => {
  test('follows from its heap, which is 70 % or less of what V8 allows', () => {
    const [small = 0, large = 0] = [200, 400].map(limitWithHeap);
    expect(small).toBeGreaterThan(0.7 * 200 * mebibyte - 1);
    expect(large - small).toBe(0.7 * 200 * mebibyte);
  });

  test('is at most half of the memory of its machine or container, whatever the heap', () => {
    const constrained = process.constrainedMemory();
    const machine = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
    expect(limitWithHeap(Math.ceil(machine / mebibyte))).toBe(Math.floor(machine / 2));
  });

  test('is lower if the configuration says so, and never higher', () => {
    const derived = memoryLimitBytes(undefined);
    expect(memoryLimitBytes(1000)).toBe(1000);
    expect(memoryLimitBytes(derived * 10)).toBe(derived);
  });
});
