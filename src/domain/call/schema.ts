/**
 * The check of tool arguments against the input schema. Schemas come from upstream servers, and arguments from agents: neither
 * can hold the event loop. What costs more than a small budget is checked in a thread with a deadline. What cannot be
 * checked at all, or in time, is not checked, since the server checks its arguments itself.
 */
import type { JsonObject } from '../../shapes/json.ts';
import type { CompiledSchema, SchemaCompiler } from './schema-compiler.ts';
import { checkSteps, type JsonSize, jsonSize, type SchemaCost, schemaCost, schemaLimits } from './schema-cost.ts';
import { createSchemaThread } from './schema-thread.ts';
import type { SchemaVerdict } from './schema-violation.ts';

/** Checks arguments against a schema. */
export type SchemaCheck = (schema: JsonObject, value: JsonObject) => SchemaVerdict | Promise<SchemaVerdict>;

/** How a schema is checked: not at all, in a thread, or here where the arguments are within the budget. */
type Plan = 'too_large' | 'thread' | 'broken' | { cost: SchemaCost; validate: CompiledSchema };

/**
 * Creates a check with a cache of compiled schemas; an entry lives as long as its schema object. The compiler is loaded with
 * the first check, which saves some 30 ms of a start.
 */
export function createSchemaCheck(): SchemaCheck {
  let check: SchemaCheck | undefined;
  const loaded = async () => {
    const { createSchemaCompiler } = await import('./schema-compiler.ts');
    check ??= createLoadedCheck(createSchemaCompiler());
    return check;
  };
  return (schema, value) =>
    check === undefined ? loaded().then((loadedCheck) => loadedCheck(schema, value)) : check(schema, value);
}

function createLoadedCheck(compile: SchemaCompiler): SchemaCheck {
  const checkInThread = createSchemaThread();
  const plans = new WeakMap<JsonObject, Plan>();
  const remembered = (schema: JsonObject) => (verdict: SchemaVerdict) => {
    if (verdict.status === 'unchecked' && verdict.reason === 'schema') plans.set(schema, 'broken');
    return verdict;
  };
  return (schema, value) => {
    let plan = plans.get(schema);
    if (plan === undefined) {
      plan = planFor(schema, compile);
      plans.set(schema, plan);
    }
    const size = argumentSize(value);
    if (size.depth > schemaLimits.argumentDepthMax) return tooDeep;
    if (plan === 'broken') return { status: 'unchecked', reason: 'schema' };
    if (plan === 'too_large' || isTooLarge(size)) return { status: 'unchecked', reason: 'size' };
    if (plan === 'thread' || checkSteps(plan.cost, size) > schemaLimits.checkStepsOnLoopMax) {
      const inThread = checkInThread(schema, value);
      return plan === 'thread' ? inThread.then(remembered(schema)) : inThread;
    }
    return { status: 'checked', ...plan.validate(value) };
  };
}

function planFor(schema: JsonObject, compile: SchemaCompiler): Plan {
  const { schemaValuesMax: valuesMax, schemaDepthMax: depthMax } = schemaLimits;
  const { values, depth } = jsonSize(schema, { valuesMax, depthMax });
  if (values > valuesMax || depth > depthMax) return 'too_large';
  if (values > schemaLimits.schemaValuesOnLoopMax) return 'thread';
  const cost = schemaCost(schema);
  if (cost.steps > schemaLimits.schemaStepsOnLoopMax) return 'thread';
  const validate = compile(schema);
  return validate === undefined ? 'broken' : { cost, validate };
}

function argumentSize(value: JsonObject): JsonSize {
  const { argumentValuesMax: valuesMax, argumentDepthMax: depthMax } = schemaLimits;
  return jsonSize(value, { valuesMax, depthMax });
}

function isTooLarge({ values, characters }: JsonSize): boolean {
  return values > schemaLimits.argumentValuesMax || characters > schemaLimits.argumentCharactersMax;
}

const tooDeep: SchemaVerdict = {
  status: 'checked',
  certain: [{ field: 'arguments', message: `are nested deeper than ${schemaLimits.argumentDepthMax} levels` }],
  uncertain: [],
};
