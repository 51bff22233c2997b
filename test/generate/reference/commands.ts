/** The section of the reference about the commands of `hestia`, from the tree of commands. */
import { createProgram } from '../../../src/cli/command-line.ts';
import { commandPaths } from '../../../src/cli/completion/command-tree.ts';
import { commandContext } from '../../support/programs/command-run.ts';
import { codes, table } from './markdown.ts';

/** Options of every command that calls a hub, or that prints results. */
const common = new Set(['--url', '--key', '--key-file', '--json']);

/** The section. */
export function commandsSection(): string {
  const leaves = new Map(
    commandPaths(createProgram(commandContext()))
      .filter(({ command }) => command.commands.length === 0)
      .toReversed()
      .map(({ path, command }) => [command, path] as const),
  );
  const rows = [...leaves].toReversed().map(([command, path]) => {
    const args = command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    const options = command.options.flatMap(({ long }) => (long == null || common.has(long) ? [] : [long]));
    return [`\`${[...path, ...args].join(' ')}\``, command.description(), codes(options)];
  });
  return `## Commands

Every command that calls a hub has \`--url\`, \`--key\` and \`--key-file\`; every command that prints results has \`--json\`, which prints on a terminal what a pipe gets. \`hestia <command> --help\`
describes the options. The exit codes are in the [description of the command line](command-line.md).

${table(['command', 'does', 'further options'], rows)}
`;
}
