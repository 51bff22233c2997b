/**
 * Variables in server entries. Those of MCP clients are translated into `${NAME}` and `${NAME:-default}`, and these are
 * replaced by environment variables.
 */
import { basename, sep } from 'node:path';
import { EntryProblem, type EntrySurroundings, type Warn } from './surroundings.ts';

const placeholder = /\$\{([^{}]*)\}|\{(env|file):([^{}]*)\}/g;
const plainVariable = /^[A-Za-z_][A-Za-z0-9_]*(?::-.*)?$/s;

/**
 * Translates the variables of MCP clients in one text: `${env:X}`, `{env:X}`, `${input:x}`, `${userHome}`,
 * `${workspaceFolder}` and their like. Other text is unchanged.
 * @throws EntryProblem for a variable that the hub cannot replace
 */
export function translateVariables(
  text: string,
  { path, surroundings, warn }: { path: readonly string[]; surroundings: EntrySurroundings; warn: Warn },
): string {
  return text.replace(placeholder, (match, body: string | undefined, kind: string | undefined, name: string) => {
    if (body === undefined) {
      if (kind === 'env') return `\${${name}}`;
      throw new EntryProblem(
        path,
        'the hub reads no file for {file:…}; write ${NAME}, and start the hub with NAME set',
      );
    }
    const fixed = folderVariable(body, surroundings, (text) => warn(path, text));
    if (fixed !== undefined) return fixed;
    if (plainVariable.test(body)) return match;
    const [, prefix = '', rest = ''] = /^([A-Za-z]+)[:.]\s*(.*)$/s.exec(body) ?? [];
    if (prefix === 'env') return `\${${rest}}`;
    if (prefix === 'input') return inputVariable(rest, surroundings);
    if (prefix === '' || prefix === 'Bearer') return match;
    throw new EntryProblem(
      path,
      `the hub has no value for \${${prefix}:…}; write \${NAME}, and start the hub with the environment variable NAME set`,
    );
  });
}

/** The variable that holds a VS Code input, as in `INPUT_GITHUB_TOKEN` for `${input:github-token}`. */
export function inputVariableName(id: string): string {
  return `INPUT_${id.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase()}`;
}

function inputVariable(id: string, { inputs }: EntrySurroundings): string {
  const byDefault = inputs.find((input) => input.id === id)?.default;
  return byDefault === undefined || byDefault === ''
    ? `\${${inputVariableName(id)}}`
    : `\${${inputVariableName(id)}:-${byDefault}}`;
}

function folderVariable(
  body: string,
  { home, folder }: EntrySurroundings,
  warn: (text: string) => void,
): string | undefined {
  switch (body) {
    case 'userHome':
      return home;
    case 'pathSeparator':
    case '/':
      return sep;
    case 'workspaceFolder':
    case 'workspaceRoot':
    case 'cwd':
      warn(`\${${body}} is the folder of this file for the hub; write an absolute path to be independent of it`);
      return folder;
    case 'workspaceFolderBasename':
      return basename(folder);
    default:
      return undefined;
  }
}

/**
 * Translates a text that is nothing but a variable in the notation of Gemini CLI (`$NAME`) or of the Copilot coding agent
 * (`COPILOT_MCP_NAME`), as values of `env` and `headers` are. `$NAME` stays text if there is no such variable.
 */
export function translateBareVariable(
  text: string,
  { path, surroundings, warn }: { path: readonly string[]; surroundings: EntrySurroundings; warn: Warn },
): string {
  const copilot = /^\$?(COPILOT_MCP_[A-Za-z0-9_]+)$/.exec(text)?.[1];
  if (copilot !== undefined) return `\${${copilot}}`;
  const [, before = '', name] = /^(Bearer )?\$([A-Z][A-Z0-9_]*)$/.exec(text) ?? [];
  if (name === undefined) return text;
  const isSet = surroundings.environment[name] !== undefined;
  warn(
    path,
    `$${name} is ${isSet ? 'read as' : 'passed on as text, since there is no such environment variable; write'} \${${name}}`,
  );
  return isSet ? `${before}\${${name}}` : text;
}

const variablePattern = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by environment variables.
 * @throws EntryProblem that names a variable that is not set and has no default
 */
export function expandVariables(
  text: string,
  path: readonly string[],
  { environment, inputs }: EntrySurroundings,
): string {
  return text.replace(variablePattern, (_match, name: string, fallback: string | undefined) => {
    // As in a shell, `:-` also replaces an empty variable.
    const given = Object.hasOwn(environment, name) ? environment[name] : undefined;
    const value = given === '' ? (fallback ?? given) : (given ?? fallback);
    if (value !== undefined) return value;
    const input = inputs.find(({ id }) => inputVariableName(id) === name)?.description;
    const meaning = input === undefined ? '' : ` (${input})`;
    throw new EntryProblem(
      path,
      `the environment variable ${name}${meaning} is not set, and no default is given; start the hub with ${name} set, or write \${${name}:-default}`,
    );
  });
}

/** Replaces a leading `~` by the home folder, as a shell does. */
export function expandHome(text: string, home: string): string {
  return /^~(?=$|[/\\])/.test(text) ? `${home}${text.slice(1)}` : text;
}
