/**
 * A value without the members that a schema refuses. One wrong optional member must not make a reader lose all others. The
 * schema is one of any library that has the Standard Schema interface.
 */

/** A schema that checks at once (https://standardschema.dev). */
export interface CheckingSchema {
  readonly '~standard': {
    validate(value: unknown): { readonly issues?: readonly SchemaIssue[] | undefined };
  };
}

interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Each round removes a level of members at least; values that need more are left out. */
const roundsMax = 16;

/**
 * The value, or a copy without the members and items that the schema refuses. Where a required member is missing, its parent
 * is removed. Undefined if nothing is left that the schema accepts.
 */
export function prunedValue<Value extends object>(value: Value, schema: CheckingSchema): Value | undefined {
  let current = value;
  for (let round = 0; round < roundsMax; round += 1) {
    const { issues = [] } = schema['~standard'].validate(current);
    if (issues.length === 0) return current;
    if (round === 0) current = structuredClone(value);
    // From the last to the first, so that the positions of items before a removed one stay valid.
    for (const issue of issues.toReversed()) {
      const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
      if (!remove(current, path)) return undefined;
    }
  }
  return undefined;
}

/** Removes what is at the path, or its parent if it is missing. Returns false if that is the whole value. */
function remove(value: object, path: readonly PropertyKey[]): boolean {
  const last = path.at(-1);
  if (last === undefined) return false;
  const parent = path.slice(0, -1).reduce<unknown>(memberOf, value);
  // An earlier issue may have removed a parent.
  if (typeof parent !== 'object' || parent === null) return true;
  if (!Object.hasOwn(parent, last)) return remove(value, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(parent, last);
  return true;
}

function memberOf(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
