/** Runs one command of the command line in this process and captures its output. */
import { fileURLToPath } from 'node:url';
import type { CommandContext, CommandSurroundings } from '../../../src/cli/command-context.ts';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { createCommandOutput } from '../../../src/cli/command-output.ts';
import { loadConfig } from '../../../src/config.ts';
import { contentScanSchema } from '../../../src/shapes/configuration/scan-policy.ts';

/** The result of a command. */
export interface CommandRun {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** The lines of standard output, parsed as JSON. */
  lines(): Record<string, unknown>[];
}

/** Options of a run. `isTerminal`: standard output is a terminal, by default of 120 columns and without colours. */
export interface CommandRunOptions extends Partial<CommandSurroundings> {
  isTerminal?: boolean;
  columns?: number;
  hasColors?: boolean;
}

/** What a test provides to the commands: no hub, no environment, output that goes nowhere. */
export function commandSurroundings(): CommandSurroundings {
  const stream = { write: () => true };
  return {
    stdout: stream,
    stderr: stream,
    defaults: {
      url: 'http://127.0.0.1:7420',
      operatorKeyFile: '/no/such/folder/operator.key',
      dataDirectory: '/no/such/folder',
    },
    configuration: (file = '/no/such/folder/hestia.config.json') => ({
      config: loadConfig({ environment: { HESTIA_CONFIG: file }, workingDirectory: '/no/such/folder' }),
      file,
    }),
    skillCheck: () => ({ policy: contentScanSchema.parse({}), strict: false }),
    environment: {},
    hubFile: fileURLToPath(new URL('../../../src/main.ts', import.meta.url)),
    version: '1.2.3',
    signal: new AbortController().signal,
    serve: async () => undefined,
  };
}

/** The context of commands that are not run. */
export function commandContext(): CommandContext {
  const surroundings = commandSurroundings();
  return { ...surroundings, output: createCommandOutput(surroundings.stdout) };
}

/** Runs a command and waits until it has finished. */
export async function runCommand(words: readonly string[], options: CommandRunOptions = {}): Promise<CommandRun> {
  const { isTerminal, columns = 120, hasColors, ...surroundings } = options;
  const printed = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY: isTerminal === true,
    columns,
    hasColors: () => hasColors === true,
    write: (text: string) => {
      printed[name] += text;
      return true;
    },
  });
  const exitCode = await runCommandLine(words, {
    ...commandSurroundings(),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    ...surroundings,
  });
  const lines = () =>
    printed.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { exitCode, ...printed, lines };
}
