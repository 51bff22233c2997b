/** The command line: its commands, and how each of them ends. One line for each failure, never a stack. */
import { Command, CommanderError } from 'commander';
import { printable } from '../shapes/text.ts';
import { addAuditCommands } from './audit-commands.ts';
import type { CommandContext, CommandSurroundings } from './command-context.ts';
import { CommandError, type ExitCode, exitCodes } from './command-error.ts';
import { createCommandOutput } from './command-output.ts';
import { addDemoCommand } from './demo/command.ts';
import { addKeyCommands } from './key-commands.ts';
import { addSearchCommands } from './search-commands.ts';
import { addSkillCommands } from './skill-commands.ts';
import { addToolCommands } from './tool-commands.ts';

/**
 * Runs one command, such as `['tools', 'stats']`, and answers its exit code. Never throws.
 * `serve` answers when the hub listens; the process then lives on.
 */
export async function runCommandLine(words: readonly string[], surroundings: CommandSurroundings): Promise<ExitCode> {
  const context = { ...surroundings, output: createCommandOutput(surroundings.stdout) };
  try {
    await createProgram(context).parseAsync(words, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return told(error, context);
  }
}

function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context;
  const program = new Command('hestia')
    .description('An MCP hub that can be watched: the hub itself, and commands for one that runs.')
    .version(context.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text.replace(/^error: /, 'hestia: ')),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError(true);
  program.command('serve').description('run the hub, as npm start does').action(context.serve);
  addDemoCommand(program, context);
  addAuditCommands(program, context);
  addKeyCommands(program, context);
  addSearchCommands(program, context);
  addSkillCommands(program, context);
  addToolCommands(program, context);
  return program;
}

function told(error: unknown, { stderr, signal }: CommandContext): ExitCode {
  // Commander has printed its own line, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const known = error instanceof CommandError ? error : undefined;
  // What is under way when Ctrl-C comes fails in ways of its own, which are no news.
  if (signal.aborted && known?.exitCode !== exitCodes.interrupted) return exitCodes.interrupted;
  const message = error instanceof Error ? error.message : 'unknown failure';
  stderr.write(`hestia: ${printable(message)}\n`);
  return known?.exitCode ?? exitCodes.failed;
}
