/** The completion script for fish. */
import { type CommandPath, type CompletionWord, wordsAfter } from './command-tree.ts';

/** The script. A function compares the command before the cursor with a path; each word has a line of its own. */
export function fishScript(paths: readonly CommandPath[]): string {
  const known = paths.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `# Completion of hestia in fish: hestia completion fish | source
function __hestia_is
  set -l command ''
  for word in (commandline -opc)[2..]
    set -l longer (string trim "$command $word")
    contains -- $longer ${known.join(' ')}; and set command $longer
  end
  test "$command" = "$argv[1]"
end
${paths.flatMap(lines).join('\n')}
`;
}

function lines({ path, command }: CommandPath): string[] {
  return wordsAfter(command).map((word) => {
    const condition = `complete -c hestia -n "__hestia_is '${path.join(' ')}'"`;
    return `${condition} ${wordArguments(word)} -d '${word.description.replaceAll("'", "\\'")}'`;
  });
}

function wordArguments({ word, values }: CompletionWord): string {
  if (!word.startsWith('--')) return `-f -a ${word}`;
  if (values === undefined) return `-l ${word.slice(2)}`;
  return values.length === 0 ? `-l ${word.slice(2)} -r` : `-l ${word.slice(2)} -x -a '${values.join(' ')}'`;
}
