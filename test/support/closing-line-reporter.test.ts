/** The closing line of real vitest runs, with the configuration of all tests. */
import { describe, expect, test } from 'vitest';
import { runVitest } from './programs/vitest-run.ts';

/** Runs generated test files. */
async function run(files: Record<string, string>): Promise<{ lastLine: string | undefined; exitCode: number | null }> {
  const { lines, exitCode } = await runVitest(files);
  return { lastLine: lines.at(-1), exitCode };
}

describe('the last line of a run', () => {
  test('counts tests that passed and failed, not those that were skipped', async () => {
    const text = `test('a', () => {}); test('b', () => { throw new Error('no'); }); test.skip('c', () => {});`;
    expect(await run({ mixed: text, good: `describe('d', () => { test('e', () => {}); });` })).toEqual({
      lastLine: '2 passed, 1 failed',
      exitCode: 1,
    });
  });

  test('reports no failure when all passed', async () => {
    expect(await run({ good: `test('a', () => {});` })).toEqual({ lastLine: '1 passed, 0 failed', exitCode: 0 });
  });

  test.each([
    ['a file that cannot be loaded', `throw new Error('no');`, '0 passed, 1 failed'],
    ['a file without tests', '', '0 passed, 1 failed'],
    [
      'a hook that fails',
      `describe('d', () => { afterAll(() => { throw new Error('no'); }); test('a', () => {}); });`,
      '1 passed, 1 failed',
    ],
    ['an unhandled rejection', `test('a', () => { void Promise.reject(new Error('no')); });`, '1 passed, 1 failed'],
    ['a process that dies', `test('a', () => { process.kill(process.pid, 'SIGKILL'); });`, undefined],
  ])('counts %s as failed', async (_name, text, line) => {
    const { lastLine, exitCode } = await run({ broken: text });
    expect(lastLine).toMatch(line ?? /^0 passed, [1-9]\d* failed$/);
    expect(exitCode).toBe(1);
  });

  test('counts each file that cannot be loaded', async () => {
    const broken = `throw new Error('no');`;
    const { lastLine } = await run({ broken, broken2: broken, good: `test('a', () => {});` });
    expect(lastLine).toBe('1 passed, 2 failed');
  });

  test('counts a run without any test file as failed', async () => {
    expect(await run({})).toEqual({ lastLine: '0 passed, 1 failed', exitCode: 1 });
  });
});
