/** Requirements in real vitest runs: a program that is installed or not, and a right that the process lacks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runVitest } from './vitest-run.ts';

const requirements = fileURLToPath(new URL('./requirements.ts', import.meta.url));

/** A file with a test that requires the right to mount. */
const mounting = `
  import { describeWith } from ${JSON.stringify(requirements)};
  describeWith('mount', 'a full disk', () => { test('is mounted', () => {}); });
`;

/** A file with a test that requires the program, and fails, and a test that does not. */
const requiring = `
  import { describeWith } from ${JSON.stringify(requirements)};
  describeWith('jq', 'a log', () => { test('is read', () => { throw new Error('it ran'); }); });
  test('another', () => {});
`;

let programs: string;
beforeEach(async () => {
  programs = await mkdtemp(join(tmpdir(), 'hestia-programs-'));
});
afterEach(async () => {
  await rm(programs, { recursive: true });
});

function leftOut(lines: string[]): string[] {
  return lines.filter((line) => line.startsWith('left out:'));
}

describe('a machine that lacks a program', () => {
  test('omits the tests that require it, and names them before the closing line', async () => {
    const { lines, exitCode } = await runVitest({ requiring }, { PATH: programs, CI: undefined });
    expect(lines.slice(-2)).toEqual(['left out: a log (jq is not installed)', '2 passed, 0 failed']);
    expect(exitCode).toBe(0);
  });

  test('names omitted tests once', async () => {
    const { lines } = await runVitest({ requiring, alike: requiring }, { PATH: programs, CI: undefined });
    expect(leftOut(lines)).toEqual(['left out: a log (jq is not installed)']);
    expect(lines.at(-1)).toBe('4 passed, 0 failed');
  });

  test('fails in continuous integration', async () => {
    const { lines, failures, exitCode } = await runVitest({ requiring }, { PATH: programs, CI: 'true' });
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(failures).toContain('no test is left out in continuous integration, but jq is not installed');
    expect(exitCode).toBe(1);
  });
});

describe('a process that may not mount a file system', () => {
  const lack = 'this process may not mount a file system';
  beforeEach(async () => {
    await writeFile(join(programs, 'mount'), '#!/bin/sh\nexit 32\n', { mode: 0o755 });
  });

  test('omits the tests that require it, and names them', async () => {
    const { lines, exitCode } = await runVitest({ mounting }, { PATH: programs, CI: undefined });
    expect(lines.slice(-2)).toEqual([`left out: a full disk (${lack})`, '1 passed, 0 failed']);
    expect(exitCode).toBe(0);
  });

  test('fails in continuous integration', async () => {
    const { failures, exitCode } = await runVitest({ mounting }, { PATH: programs, CI: 'true' });
    expect(failures).toContain(`no test is left out in continuous integration, but ${lack}`);
    expect(exitCode).toBe(1);
  });
});

describe('a machine that has the program', () => {
  test('runs the tests that require it, and omits nothing', async () => {
    await writeFile(join(programs, 'jq'), '#!/bin/sh\n', { mode: 0o755 });
    const { lines, failures, exitCode } = await runVitest({ requiring }, { PATH: programs, CI: undefined });
    expect(leftOut(lines)).toEqual([]);
    expect(failures).toContain('it ran');
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(exitCode).toBe(1);
  });
});
