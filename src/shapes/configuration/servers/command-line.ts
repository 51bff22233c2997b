/** Command lines that are written into `command` as one text, such as `npx -y server`. */
import { EntryProblem, type EntrySurroundings, type Warn } from './surroundings.ts';
import { expandHome } from './variables.ts';

/** A program and its arguments. */
export interface CommandLine {
  command: string;
  args: readonly string[];
}

/**
 * Splits a command that contains blanks into program and arguments. A path to a program stays whole.
 * @throws EntryProblem if the text could mean both, or needs a shell
 */
export function splitCommand(
  { command, args }: CommandLine,
  { path, surroundings, warn }: { path: readonly string[]; surroundings: EntrySurroundings; warn: Warn },
): CommandLine {
  if (!/\s/.test(command.trim())) return { command: command.trim(), args };
  if (surroundings.hasFile(expandHome(command, surroundings.home))) return { command, args };
  const [program = '', ...words] = commandWords(command);
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(program)) {
    throw new EntryProblem(
      path,
      `starts with a variable; write it into "env", and the program and its arguments as "command" and "args"`,
    );
  }
  if (/[|&;<>`\n]|\$\(/.test(command)) {
    throw new EntryProblem(
      path,
      'the hub starts programs without a shell; write "command": "sh", "args": ["-c", "<the command line>"]',
    );
  }
  if (/[/\\]/.test(program)) {
    throw new EntryProblem(
      path,
      `there is no program of this name; if it is a command line, write "command": ${JSON.stringify(program)}, "args": [${words.map(() => '"…"').join(', ')}], each of the ${words.length} words after the program as one text`,
    );
  }
  warn(path, `is read as a command line: "command": ${JSON.stringify(program)}, and ${words.length} words as "args"`);
  return { command: program, args: [...words, ...args] };
}

const word = /(?:\$\{[^}]*\}|"[^"]*"|'[^']*'|[^\s"'])+/g;

/** The words of a command line. Quotes group, as in a shell; `${…}` is one word. A backslash is itself. */
function commandWords(text: string): string[] {
  return (text.match(word) ?? []).map((found) =>
    found.replace(
      /"([^"]*)"|'([^']*)'/g,
      (_match, double: string | undefined, single: string | undefined) => double ?? single ?? '',
    ),
  );
}
