/** Runs one command of the command line in this process and captures its output. */
import { fileURLToPath } from 'node:url';
import type { CommandSurroundings } from '../../../src/cli/command-context.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { contentScanSchema } from '../../../src/shapes/configuration/scan-policy.ts';

/** The result of a command. */
export interface CommandRun {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** The lines of standard output, parsed as JSON. */
  lines(): Record<string, unknown>[];
}

/** Options of a run. `isTerminal`: standard output is a terminal of 120 columns, without colours. */
export interface CommandRunOptions extends Partial<CommandSurroundings> {
  isTerminal?: boolean;
}

/** Runs a command and waits until it has finished. */
export async function runCommand(words: readonly string[], options: CommandRunOptions = {}): Promise<CommandRun> {
  const printed = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY: options.isTerminal === true,
    columns: 120,
    write: (text: string) => {
      printed[name] += text;
      return true;
    },
  });
  const exitCode = await runCommandLine(words, {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    defaults: {
      url: 'http://127.0.0.1:7420',
      operatorKeyFile: '/no/such/folder/operator.key',
      dataDirectory: '/no/such/folder',
    },
    skillCheck: () => ({ policy: contentScanSchema.parse({}), strict: false }),
    environment: {},
    hubFile: fileURLToPath(new URL('../../../src/main.ts', import.meta.url)),
    version: '1.2.3',
    signal: new AbortController().signal,
    serve: async () => undefined,
    ...options,
  });
  const lines = () =>
    printed.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { exitCode, ...printed, lines };
}
