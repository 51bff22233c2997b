/**
 * Estimates of what it costs to compile a schema and to check arguments against it. Every estimate is an upper bound that
 * takes time in proportion to what it measures, up to a limit.
 */
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';

/** Limits on schemas and arguments. A value is an object, a list, a text, a number, a boolean or null. */
export const schemaLimits = {
  /** Schemas over these are not compiled anywhere. */
  schemaValuesMax: 20_000,
  schemaDepthMax: 100,
  /** Arguments over these are not checked anywhere. */
  argumentValuesMax: 100_000,
  argumentCharactersMax: 4_194_304,
  /** Arguments nested deeper are refused: no server reads them, and recursion on them overflows the stack. */
  argumentDepthMax: 200,
  /** Schemas over these are compiled in a thread: compiling takes up to 0.1 ms a value. */
  schemaValuesOnLoopMax: 300,
  schemaStepsOnLoopMax: 1_000,
  /** Checks over this are done in a thread. A step takes up to 0.2 us. */
  checkStepsOnLoopMax: 100_000,
} as const;

/** The size of a JSON value. The numbers are lower bounds where one is over the limits. */
export interface JsonSize {
  values: number;
  depth: number;
  /** UTF-16 units of all texts and names. */
  characters: number;
}

/** Measures a value, and stops once it has more than `valuesMax` values or `depthMax` levels. Not recursive. */
export function jsonSize(root: unknown, { valuesMax, depthMax }: { valuesMax: number; depthMax: number }): JsonSize {
  const size = { values: 0, depth: 0, characters: 0 };
  let level: unknown[] = [root];
  while (level.length > 0 && size.depth <= depthMax && size.values <= valuesMax) {
    const next: unknown[] = [];
    for (const value of level) {
      size.values += 1;
      if (typeof value === 'string') size.characters += value.length;
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value)) for (const name of Object.keys(value)) size.characters += name.length;
      // One by one: a list may have more members than a call can have arguments.
      for (const member of Object.values(value)) next.push(member);
      if (next.length > valuesMax) break;
    }
    size.values += next.length > valuesMax ? next.length : 0;
    level = next;
    size.depth += 1;
  }
  return size;
}

/** What a schema asks of a check. */
export interface SchemaCost {
  /** Steps for one value, with every reference followed; infinite for a schema that refers to itself. */
  steps: number;
  /** Keywords that read a text: patterns, formats, lengths. */
  textKeywords: number;
  /** Keywords that compare each item of a list with each other one. */
  uniqueKeywords: number;
  /** Whether a part may apply more often than it is written. */
  hasReferences: boolean;
}

/** The cost of a schema within the limits on values and depth. */
export function schemaCost(schema: JsonObject): SchemaCost {
  const cost: SchemaCost = { steps: 0, textKeywords: 0, uniqueKeywords: 0, hasReferences: false };
  cost.steps = stepsOf(schema, { root: schema, cost, known: new Map(), depth: 0 });
  return cost;
}

/** The steps of a check of arguments. */
export function checkSteps(schema: SchemaCost, { values, characters }: JsonSize): number {
  const timesOf = (keywords: number) => (keywords > 0 && schema.hasReferences ? schema.steps : keywords);
  const texts = timesOf(schema.textKeywords) * characters;
  const comparisons = timesOf(schema.uniqueKeywords) * (values + characters) ** 2;
  return schema.steps * values + texts + comparisons;
}

interface Walk {
  root: JsonObject;
  cost: SchemaCost;
  /** The steps of each part, and infinity for one that is being walked, which makes a cycle infinite. */
  known: Map<object, number>;
  depth: number;
}

/** References in a row after which a schema counts as one that refers to itself. */
const walkDepthMax = 500;
const textKeywords: ReadonlySet<string> = new Set(['pattern', 'format', 'minLength', 'maxLength', 'patternProperties']);

function stepsOf(value: unknown, walk: Walk): number {
  if (typeof value !== 'object' || value === null) return 0;
  const known = walk.known.get(value);
  if (known !== undefined) return known;
  walk.known.set(value, Number.POSITIVE_INFINITY);
  if (walk.depth > walkDepthMax) return Number.POSITIVE_INFINITY;
  let steps = 1;
  for (const [key, member] of Object.entries(value)) {
    if (textKeywords.has(key)) walk.cost.textKeywords += 1;
    if (key === 'uniqueItems' && member === true) walk.cost.uniqueKeywords += 1;
    if (key === '$ref') walk.cost.hasReferences = true;
    steps += stepsOfMember(key, member, { ...walk, depth: walk.depth + 1 });
  }
  walk.known.set(value, steps);
  return steps;
}

function stepsOfMember(key: string, member: unknown, walk: Walk): number {
  // Definitions cost where they are referred to.
  if ((key === '$defs' || key === 'definitions') && isJsonObject(member)) return 0;
  if (typeof member !== 'string') return stepsOf(member, walk);
  if (key === '$dynamicRef' || key === '$recursiveRef') return Number.POSITIVE_INFINITY;
  if (key !== '$ref') return 0;
  // It may be one to a part with an id. Without ids it leads nowhere, and the schema is not compiled.
  if (!member.startsWith('#')) return hasIds(walk.root) ? Number.POSITIVE_INFINITY : 0;
  return stepsOf(referredTo(walk.root, member), walk);
}

function hasIds({ $id: _own, ...schema }: JsonObject): boolean {
  return JSON.stringify(schema).includes('"$id"');
}

/** What a JSON pointer in a reference leads to. A reference by name is one to the schema itself, to be careful. */
function referredTo(root: JsonObject, reference: string): unknown {
  const pointer = reference.slice(1);
  if (pointer !== '' && !pointer.startsWith('/')) return root;
  let found: unknown = root;
  for (const segment of pointer.split('/').slice(1)) {
    const name = decoded(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.entries(found).find(([key]) => key === name)?.[1];
  }
  return found;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
