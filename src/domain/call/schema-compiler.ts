/**
 * Compiles the input schemas of upstream tools: JSON Schema, draft 2020-12 or draft-07. A schema that is neither is not
 * compiled. References are never fetched.
 */
import { Ajv, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { JsonObject } from '../../shapes/json.ts';
import { compileSchemaPattern } from './schema-pattern.ts';
import { type SortedViolations, sortedViolations } from './schema-violation.ts';

/** A compiled schema. */
export type CompiledSchema = (value: unknown) => SortedViolations;

/** Compiles a schema; undefined where it is not valid in any dialect. */
export type SchemaCompiler = (schema: JsonObject) => CompiledSchema | undefined;

/** Schemas after which the validators are replaced, since a validator keeps parts of each schema that it compiled. */
const compiledMax = 500;

const options = {
  strict: false,
  // All errors, so that one that the server may tolerate hides none that it cannot.
  allErrors: true,
  verbose: true,
  // Otherwise a parameter called `constructor` is found in every object.
  ownProperties: true,
  logger: false,
  code: { regExp: Object.assign(compileSchemaPattern, { code: 'compileSchemaPattern' }) },
} as const;

/** Creates the compiler. */
export function createSchemaCompiler(): SchemaCompiler {
  let validators = createValidators();
  let compiled = 0;
  return (schema) => {
    compiled += 1;
    if (compiled % compiledMax === 0) validators = createValidators();
    // An asynchronous check would return a promise instead of a verdict.
    if (schema.$async !== undefined) return undefined;
    const dialect = typeof schema.$schema === 'string' ? schema.$schema : '';
    const { draft7, draft2020 } = validators;
    const order = /draft-0[4-7]/.test(dialect) ? [draft7] : [draft2020, draft7];
    for (const validator of order) {
      const validate = compileWith(validator, schema);
      if (validate !== undefined) return validate;
    }
    return undefined;
  };
}

function createValidators() {
  return { draft2020: formats.default(new Ajv2020(options)), draft7: formats.default(new Ajv(options)) };
}

function compileWith(validator: Ajv | Ajv2020, schema: JsonObject): CompiledSchema | undefined {
  // The validator would keep the `$id`, which may collide with that of another server's tool.
  const { $id: _id, ...anonymous } = schema;
  const known = withoutUnknownDialect(anonymous);
  try {
    const validate = validator.compile(known);
    return (value) => (validate(value) === true ? noViolations : sortedViolations(takeErrors(validate)));
  } catch {
    return undefined;
  } finally {
    validator.removeSchema(known);
  }
}

const noViolations: SortedViolations = { certain: [], uncertain: [] };

/** The errors of the last validation. The function would keep them, with the arguments, until the next one. */
function takeErrors(validate: { errors?: ErrorObject[] | null }): ErrorObject[] {
  const errors = validate.errors ?? [];
  validate.errors = null;
  return errors;
}

const knownDialects = /^https?:\/\/json-schema\.org\/draft(\/2020-12|-07)\/schema#?$/;

/** A schema of another dialect is read as one of the two supported ones, instead of being refused. */
function withoutUnknownDialect(schema: JsonObject): JsonObject {
  if (typeof schema.$schema !== 'string' || knownDialects.test(schema.$schema)) return schema;
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}
