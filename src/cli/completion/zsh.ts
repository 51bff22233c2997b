/** The completion script for zsh. */
import { type CommandPath, wordsAfter } from './command-tree.ts';

/** The script. It finds the command by the words before the cursor, and describes what may follow. */
export function zshScript(paths: readonly CommandPath[]): string {
  const known = paths.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `#compdef hestia
# Completion of hestia in zsh: source <(hestia completion zsh), after compinit
_hestia() {
  local command='' word
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${command:+$command }$word" in
      ${known.join(' | ')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command \${words[CURRENT-1]}" in
${paths.flatMap(valueCases).join('\n')}
  esac
  case "$command" in
${paths.map(wordCase).join('\n')}
  esac
  _describe 'hestia' offered || _files
}
compdef _hestia hestia
`;
}

function wordCase({ path, command }: CommandPath): string {
  const words = wordsAfter(command).map(({ word, description }) =>
    quoted(`${word.replaceAll(':', '\\:')}:${description}`),
  );
  return `    '${path.join(' ')}') offered=(${words.join(' ')}) ;;`;
}

function valueCases({ path, command }: CommandPath): string[] {
  return wordsAfter(command)
    .filter(({ values }) => values !== undefined)
    .map(({ word, values = [] }) => {
      const offer = values.length === 0 ? '_files' : `compadd -- ${values.join(' ')}`;
      return `    '${path.join(' ')} ${word}') ${offer}; return ;;`;
    });
}

/** A text as one word of the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
