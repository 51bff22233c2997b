/**
 * Violations of a schema: which argument, what was found, what is allowed. They are made from the errors of the validator. A
 * violation is certain if no server would accept the value; others depend on what the server converts, as `"5"` for a number.
 */
import type { ErrorObject } from 'ajv';
import type { Violation } from '../../shapes/error.ts';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { printable, truncated } from '../../shapes/text.ts';

/** Violations that no server would accept, and those that the server decides on. */
export interface SortedViolations {
  certain: Violation[];
  uncertain: Violation[];
}

/** The most violations of each kind. */
const violationsMax = 20;
const textLengthMax = 200;

/** Sorts the errors of one validation, which ran with `verbose` and `allErrors`. */
export function sortedViolations(errors: readonly ErrorObject[]): SortedViolations {
  const branches = errors.filter(({ keyword }) => branchKeywords.has(keyword)).map(({ instancePath }) => instancePath);
  const sorted: SortedViolations = { certain: [], uncertain: [] };
  for (const error of errors) {
    const isOfRoot = error.instancePath === '' && error.schemaPath === '#/required';
    const isInBranch = !isOfRoot && branches.some((path) => isAtOrBelow(error.instancePath, path));
    const list = !isInBranch && isCertain(error) ? sorted.certain : sorted.uncertain;
    if (list.length < violationsMax) list.push(violation(error));
  }
  return sorted;
}

/** Keywords with alternatives. Where one failed, the errors at its value say only why each alternative does not fit. */
const branchKeywords: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'not', 'if', 'contains', 'propertyNames']);

function isAtOrBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
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
      return typeof value === 'string' && isJsonObject(parsedJson(value));
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
