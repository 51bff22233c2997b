/** The tree of commands as a list of paths: what may follow each, for shell completion and tests. */
import type { Command, Option } from 'commander';

/** A command, and the words that lead to it. The path of the program is empty. */
export interface CommandPath {
  path: readonly string[];
  command: Command;
}

/** All commands of a program, itself first, each below its own name and its aliases. */
export function commandPaths(program: Command, path: readonly string[] = []): CommandPath[] {
  const below = program.commands.flatMap((command) =>
    [command.name(), ...command.aliases()].flatMap((name) => commandPaths(command, [...path, name])),
  );
  return [{ path, command: program }, ...below];
}

/** A word that may follow a command: a subcommand or an option. */
export interface CompletionWord {
  word: string;
  description: string;
  /** The values of an option that takes one of a list. Empty for an option that takes any value. */
  values?: readonly string[];
}

/** The words that may follow a command. */
export function wordsAfter({ commands, options, registeredArguments }: Command): CompletionWord[] {
  return [
    ...registeredArguments.flatMap(({ argChoices = [], description }) =>
      argChoices.map((word) => ({ word, description })),
    ),
    ...commands.map((command) => ({ word: command.name(), description: command.description() })),
    ...options.filter(({ hidden }) => !hidden).flatMap(optionWord),
    { word: '--help', description: 'show help' },
  ];
}

function optionWord({ long, description, argChoices, required, optional }: Option): CompletionWord[] {
  if (long == null) return [];
  const takesValue = required || optional;
  return [{ word: long, description, ...(takesValue && { values: argChoices ?? [] }) }];
}
