/**
 * The check of tool arguments against the input schema. A schema is compiled once. Schemas come from upstream servers: with
 * one that cannot be compiled, the arguments are not checked, since the server checks them itself.
 */
import type { Violation } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { type CompiledSchema, createSchemaCompiler } from './schema-compiler.ts';

/** The result of a check. */
export type SchemaVerdict =
  | {
      status: 'checked';
      /** What no server would accept: a missing argument, a value that cannot be converted to the type. */
      certain: Violation[];
      /** What the server may accept all the same. */
      uncertain: Violation[];
    }
  | { status: 'unchecked'; reason: 'schema' };

/** Checks arguments against a schema. */
export type SchemaCheck = (schema: JsonObject, value: JsonObject) => SchemaVerdict | Promise<SchemaVerdict>;

/** Creates a check with a cache of compiled schemas; an entry lives as long as its schema object. */
export function createSchemaCheck(): SchemaCheck {
  const compile = createSchemaCompiler();
  const compiled = new WeakMap<JsonObject, CompiledSchema | 'broken'>();
  return (schema, value) => {
    let validate = compiled.get(schema);
    if (validate === undefined) {
      validate = compile(schema) ?? 'broken';
      compiled.set(schema, validate);
    }
    if (validate === 'broken') return { status: 'unchecked', reason: 'schema' };
    return { status: 'checked', ...validate(value) };
  };
}
