/**
 * Validation of tool arguments against JSON Schema, draft 2020-12 or draft-07. A schema is compiled once. Schemas come
 * from upstream servers: one that does not compile is reported as broken, and references are never fetched.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Violation } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { printable, truncated } from '../../shapes/text.ts';
import { compileSchemaPattern } from './schema-pattern.ts';

/** The result of a check. */
export type SchemaVerdict = { fits: true } | { fits: false; violations: Violation[] } | { broken: true };

/** Checks arguments against a schema. */
export type SchemaCheck = (schema: JsonObject, value: unknown) => SchemaVerdict;

/** The most violations in one result. */
const violationsMax = 20;
const messageLengthMax = 200;

/** Creates a check with a cache of compiled schemas; an entry lives as long as its schema object. */
export function createSchemaCheck(): SchemaCheck {
  const code = { regExp: Object.assign(compileSchemaPattern, { code: 'compileSchemaPattern' }) };
  const options = { strict: false, allErrors: false, validateFormats: true, logger: false, code } as const;
  const draft2020 = formats.default(new Ajv2020(options));
  const draft7 = formats.default(new Ajv(options));
  const compiled = new WeakMap<JsonObject, ValidateFunction | 'broken'>();

  const compile = (schema: JsonObject): ValidateFunction | 'broken' => {
    const dialect = typeof schema.$schema === 'string' ? schema.$schema : '';
    // The compiler would keep the `$id`, which may collide with that of another server's tool.
    const { $id: _id, ...anonymous } = schema;
    // An asynchronous check would return a promise instead of a verdict.
    if (schema.$async !== undefined) return 'broken';
    const compiler = /draft-0[4-7]/.test(dialect) ? draft7 : draft2020;
    const known = withoutUnknownDialect(anonymous);
    try {
      return compiler.compile(known);
    } catch {
      return 'broken';
    } finally {
      // The compiler would otherwise keep every schema it compiled.
      compiler.removeSchema(known);
    }
  };

  return (schema, value) => {
    let validate = compiled.get(schema);
    if (validate === undefined) {
      validate = compile(schema);
      compiled.set(schema, validate);
    }
    if (validate === 'broken') return { broken: true };
    if (validate(value) === true) return { fits: true };
    return { fits: false, violations: (validate.errors ?? []).slice(0, violationsMax).map(violation) };
  };
}

const knownDialects = /^https?:\/\/json-schema\.org\/draft(\/2020-12|-07)\/schema#?$/;

/** A schema of another dialect is read as one of the two supported ones, instead of being refused. */
function withoutUnknownDialect(schema: JsonObject): JsonObject {
  if (typeof schema.$schema !== 'string' || knownDialects.test(schema.$schema)) return schema;
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}

function violation(error: ErrorObject): Violation {
  const field = `arguments${error.instancePath.replaceAll('/', '.')}`;
  return {
    field: printable(truncated(field, messageLengthMax)),
    message: printable(truncated(`${error.message ?? 'is not valid'}${detail(error)}`, messageLengthMax)),
  };
}

function detail({ keyword, params }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `: found ${JSON.stringify(params.additionalProperty)}`;
  if (keyword === 'enum') return `: ${JSON.stringify(params.allowedValues)}`;
  return '';
}
