/**
 * Violations of a schema: which argument, what was found, what is allowed. They are made from the errors of the validator. A
 * violation is certain if no server would accept the value; others depend on what the server converts, as `"5"` for a number.
 */
import type { ErrorObject } from 'ajv';
import type { Violation } from '../../shapes/error.ts';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { printable, truncated } from '../../shapes/text.ts';

/** Violations by what a server does with them. */
export interface SortedViolations {
  /** What no server would accept: a missing argument, a value that cannot be converted to the type. */
  certain: Violation[];
  /** What the server may accept all the same. */
  uncertain: Violation[];
}

/**
 * The result of a check. Reasons why arguments are not checked: the schema cannot be compiled (`schema`), it or the arguments
 * are too large (`size`), the check took too long (`time`).
 */
export type SchemaVerdict =
  | ({ status: 'checked' } & SortedViolations)
  | { status: 'unchecked'; reason: 'schema' | 'size' | 'time' };

/** The most violations of each kind. */
const violationsMax = 20;
const textLengthMax = 200;
/** Errors that are sorted. Further ones are many of the same kind. */
const errorsMax = 1000;
/** The longest text that is parsed to see whether it is JSON. */
const jsonTextLengthMax = 65_536;

/** Sorts the errors of one validation, which ran with `verbose` and `allErrors`. */
export function sortedViolations(errors: readonly ErrorObject[]): SortedViolations {
  const branches = new Set(
    errors.filter(({ keyword }) => branchKeywords.has(keyword)).map(({ instancePath }) => instancePath),
  );
  const sorted: SortedViolations = { certain: [], uncertain: [] };
  for (const error of errors.slice(0, errorsMax)) {
    const isOfRoot = error.instancePath === '' && error.schemaPath === '#/required';
    const isAlone = isOfRoot || !isAtOrBelow(error.instancePath, branches);
    const list = isAlone && isCertain(error) ? sorted.certain : sorted.uncertain;
    if (list.length < violationsMax) list.push(violation(error));
  }
  return sorted;
}

/** Keywords with alternatives. Where one failed, the errors at its value say only why each alternative does not fit. */
const branchKeywords: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'not', 'if', 'contains', 'propertyNames']);

/** Whether a path, or one of its beginnings, is one of these. */
function isAtOrBelow(path: string, parents: ReadonlySet<string>): boolean {
  if (parents.size === 0) return false;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (parents.has(path.slice(0, end))) return true;
  }
  return parents.has('');
}

function isCertain({ keyword, params, data, schemaPath, parentSchema }: ErrorObject): boolean {
  if (schemaPath.includes('/dependent')) return false;
  if (keyword === 'required') return isWithoutDefault(parentSchema, params.missingProperty);
  if (keyword !== 'type') return false;
  const types: unknown[] = Array.isArray(params.type) ? params.type : [params.type];
  return !types.some((type) => isConvertible(data, type));
}

/** Whether a property is declared, and has no default that a server fills in. */
function isWithoutDefault(parentSchema: unknown, property: string): boolean {
  if (!isJsonObject(parentSchema) || !isJsonObject(parentSchema.properties)) return false;
  if (!Object.hasOwn(parentSchema.properties, property)) return false;
  const declared = parentSchema.properties[property];
  return !isJsonObject(declared) || !Object.hasOwn(declared, 'default');
}

/** Whether some server converts the value to the type: a value that is null or empty to one that is absent, text to what it says. */
function isConvertible(value: unknown, type: unknown): boolean {
  if (value === null || value === '') return true;
  switch (type) {
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean';
    case 'number':
    case 'integer':
      return typeof value === 'string' ? !Number.isNaN(Number(value)) : typeof value !== 'object';
    case 'boolean':
      return typeof value === 'string' ? booleanText.test(value) : typeof value === 'number';
    case 'array':
      // One item for a list of one, text for a list with commas.
      return true;
    case 'object':
      return typeof value === 'string' && (value.length > jsonTextLengthMax || isJsonObject(parsedJson(value)));
    default:
      return false;
  }
}

const booleanText = /^\s*(?:true|false|yes|no|on|off|y|n|t|f|1|0)\s*$/i;

function violation(error: ErrorObject): Violation {
  const { keyword, params, message = 'is not valid', data, instancePath } = error;
  const path = instancePath.split('/').slice(1).map(unescaped);
  const bounded = (text: string) => printable(truncated(text, textLengthMax));
  const field = (...more: string[]) => bounded(['arguments', ...path, ...more].join('.'));
  switch (keyword) {
    case 'required':
      return { field: field(params.missingProperty), message: bounded(`is required, found ${namesOf(data)}`) };
    case 'additionalProperties':
      return { field: field(), message: bounded(`${message}: found ${JSON.stringify(params.additionalProperty)}`) };
    case 'enum':
      return { field: field(), message: bounded(`${message}: ${JSON.stringify(params.allowedValues)}`) };
    case 'type':
      return { field: field(), message: bounded(`${message}, found ${typeOf(data)}`) };
    default:
      return { field: field(), message: bounded(message) };
  }
}

/** A segment of a JSON pointer (RFC 6901) as the name that it stands for. */
function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

const namesMax = 10;

function namesOf(value: unknown): string {
  const names = isJsonObject(value) ? Object.keys(value) : [];
  const shown = names.slice(0, namesMax).map((name) => JSON.stringify(truncated(name, 40)));
  return names.length === 0 ? 'no arguments' : `only ${shown.join(', ')}${names.length > namesMax ? ', …' : ''}`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
