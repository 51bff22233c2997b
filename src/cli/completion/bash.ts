/** The completion script for bash. */
import { type CommandPath, wordsAfter } from './command-tree.ts';

/** The script. It finds the command by the words before the cursor, and offers what may follow; else files. */
export function bashScript(paths: readonly CommandPath[]): string {
  const known = paths.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `# Completion of hestia in bash: source <(hestia completion bash)
_hestia() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${command:+$command }$word" in
      ${known.join(' | ')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command $previous" in
${paths.flatMap(valueCases).join('\n')}
    *)
      case "$command" in
${paths.map(wordCase).join('\n')}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _hestia hestia
`;
}

function wordCase({ path, command }: CommandPath): string {
  const words = wordsAfter(command).map(({ word }) => word);
  return `        '${path.join(' ')}') words='${words.join(' ')}' ;;`;
}

/** The values of options. Where any value is possible, nothing is offered but files. */
function valueCases({ path, command }: CommandPath): string[] {
  return wordsAfter(command)
    .filter(({ values }) => values !== undefined)
    .map(({ word, values = [] }) => `    '${path.join(' ')} ${word}') words='${values.join(' ')}' ;;`);
}
