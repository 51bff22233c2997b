/** `hestia completion`: prints a script that completes commands and options in bash, zsh or fish. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { bashScript } from './bash.ts';
import { commandPaths } from './command-tree.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof scripts;
const shells: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** Adds the command. Call it last, but before options that all commands have are added. */
export function addCompletionCommand(program: Command, { output }: CommandContext): void {
  program
    .command('completion')
    .description('print a script that completes commands: source <(hestia completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => void output.raw(scripts[shell](commandPaths(program))));
}
