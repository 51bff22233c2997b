/** The values of a server entry, as clients write them: text, lists of text, and maps of names to text. */
import { isJsonObject } from '../../json.ts';
import { EntryProblem, type EntrySurroundings, type Warn } from './surroundings.ts';
import { expandHome, translateBareVariable, translateVariables } from './variables.ts';

/** What the values are read with. */
export interface ValueContext {
  surroundings: EntrySurroundings;
  warn: Warn;
}

/** A text, with its variables translated. @throws EntryProblem */
export function textValue(value: unknown, path: readonly string[], context: ValueContext): string {
  if (typeof value !== 'string') throw new EntryProblem(path, `found ${kindOf(value)}, must be text in double quotes`);
  return translateVariables(value, { path, ...context });
}

/** A list of text, with `~` and variables translated. Whole numbers and booleans are read as text. @throws EntryProblem */
export function listValue(value: unknown, path: readonly string[], context: ValueContext): string[] {
  if (!Array.isArray(value)) {
    throw new EntryProblem(path, `found ${kindOf(value)}, must be a list, as in ["-y", "server"]`);
  }
  return value.map((item: unknown, at) => {
    const place = [...path, `${at}`];
    return expandHome(
      translateVariables(scalarText(item, place), { path: place, ...context }),
      context.surroundings.home,
    );
  });
}

/**
 * A map of names to text, such as `env`. Whole numbers and booleans are read as text; null leaves the name out.
 * @throws EntryProblem that names the first value that is neither
 */
export function mapValue(value: unknown, path: readonly string[], context: ValueContext): Record<string, string> {
  if (!isJsonObject(value)) {
    throw new EntryProblem(path, `found ${kindOf(value)}, must be an object, as in { "NAME": "value" }`);
  }
  const map: Record<string, string> = {};
  for (const [name, item] of Object.entries(value)) {
    const place = [...path, name];
    if (item === null) {
      context.warn(place, `null: left out; write "\${${name}}" to pass on the variable of the hub`);
      continue;
    }
    const options = { path: place, ...context };
    map[name] = translateVariables(translateBareVariable(scalarText(item, place), options), options);
  }
  return map;
}

/** True or false. @throws EntryProblem */
export function booleanValue(value: unknown, path: readonly string[]): boolean {
  if (typeof value === 'boolean') return value;
  throw new EntryProblem(path, `found ${kindOf(value)}, must be true or false, without quotes`);
}

function scalarText(value: unknown, path: readonly string[]): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))) return String(value);
  const written = typeof value === 'number' ? ', so that every digit is kept' : '';
  throw new EntryProblem(path, `found ${kindOf(value)}, must be text: write it in double quotes${written}`);
}

/** What a value is, without showing it: it may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'an object';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    default:
      return 'nothing';
  }
}
