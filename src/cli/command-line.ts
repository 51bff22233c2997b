/** The command line: all commands, and their exit codes. A failure prints one line, never a stack. */
import { Command, CommanderError } from 'commander';
import { printable } from '../shapes/text.ts';
import { addAuditCommands } from './audit-commands.ts';
import type { CommandContext, CommandSurroundings } from './command-context.ts';
import { CommandError, type ExitCode, exitCodes } from './command-error.ts';
import { createCommandOutput } from './command-output.ts';
import { addCompletionCommand } from './completion/command.ts';
import { commandPaths } from './completion/command-tree.ts';
import { addDemoCommand } from './demo/command.ts';
import { addLookCommand } from './demo/look-command.ts';
import { addKeyCommands } from './key-commands.ts';
import { addBackupCommands } from './operation/backup-commands.ts';
import { addConfigCommands } from './operation/config-commands.ts';
import { addDoctorCommand } from './operation/doctor-command.ts';
import { addQuarantineCommands } from './operation/quarantine-commands.ts';
import { addSchedulerCommands } from './operation/scheduler-commands.ts';
import { addStatusCommand } from './operation/status-command.ts';
import { addSearchCommands } from './search-commands.ts';
import { addServerCommands } from './servers/commands.ts';
import { addSkillCommands } from './skill-commands.ts';
import { addToolCommands } from './tool-commands.ts';

/**
 * Runs one command, such as `['tools', 'stats']`, and returns its exit code. Never throws.
 * `serve` resolves once the hub listens; the process keeps running.
 */
export async function runCommandLine(words: readonly string[], surroundings: CommandSurroundings): Promise<ExitCode> {
  const context = { ...surroundings, output: createCommandOutput(surroundings.stdout) };
  try {
    await createProgram(context).parseAsync(words, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return reportFailure(error, context);
  }
}

/** The tree of all commands. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context;
  const program = new Command('hestia')
    .description('An observable MCP hub: the hub itself, and commands for a running hub.')
    .version(context.version)
    .exitOverride()
    // So that an option of a command, such as `skills activate --version`, is not taken for one of the program.
    .enablePositionalOptions()
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
  addStatusCommand(program, context);
  addDoctorCommand(program, context);
  addConfigCommands(program, context);
  addBackupCommands(program, context);
  addDemoCommand(program, context);
  addLookCommand(program, context);
  addAuditCommands(program, context);
  addKeyCommands(program, context);
  addQuarantineCommands(program, context);
  addSchedulerCommands(program, context);
  addSearchCommands(program, context);
  addServerCommands(program, context);
  addSkillCommands(program, context);
  addToolCommands(program, context);
  addCompletionCommand(program, context);
  addJsonOption(program, context);
  return program;
}

/** Adds `--json` to every command that prints results. */
function addJsonOption(program: Command, { output }: CommandContext): void {
  const commands = new Set(commandPaths(program).map(({ command }) => command));
  for (const command of commands) {
    if (command.commands.length === 0 && !withoutJson.has(command.name()))
      command.option('--json', 'print NDJSON, as in a pipe');
  }
  program.hook('preAction', (_program, action) => {
    if (action.opts().json === true) output.useJson();
  });
}

/** Commands that print no results: one runs the hub, the other prints a script. */
const withoutJson: ReadonlySet<string> = new Set(['serve', 'completion']);

function reportFailure(error: unknown, { stderr, signal }: CommandContext): ExitCode {
  // Commander has already printed its own line, or the requested help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  const known = error instanceof CommandError ? error : undefined;
  // After Ctrl-C, work in progress fails in many ways. None of them is worth a message.
  if (signal.aborted && known?.exitCode !== exitCodes.interrupted) return exitCodes.interrupted;
  const message = error instanceof Error ? error.message : 'unknown failure';
  stderr.write(`hestia: ${printable(message)}\n`);
  return known?.exitCode ?? exitCodes.failed;
}
