/** Runs vitest on generated test files, in a separate process with the configuration of all tests. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const vitestProgram = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
const configuration = fileURLToPath(new URL('../../../vitest.config.ts', import.meta.url));

/** The result of a run: exit code, standard output without trailing blank lines, and the failures. */
export interface VitestRun {
  lines: string[];
  failures: string;
  exitCode: number | null;
}

/** Runs test files, given by name and text, in a temporary folder. */
export async function runVitest(
  files: Record<string, string>,
  environment: Record<string, string | undefined> = {},
): Promise<VitestRun> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-vitest-'));
  try {
    await mkdir(join(folder, 'test'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'test', `${name}.test.ts`), text);
    const options = ['run', '--root', folder, '--config', configuration, '--globals'];
    const child = execFile(process.execPath, [vitestProgram, ...options], { env: { ...process.env, ...environment } });
    let output = '';
    let failures = '';
    child.stdout?.on('data', (text: string) => {
      output += text;
    });
    child.stderr?.on('data', (text: string) => {
      failures += text;
    });
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { lines: output.trimEnd().split('\n'), failures, exitCode };
  } finally {
    await rm(folder, { recursive: true });
  }
}
