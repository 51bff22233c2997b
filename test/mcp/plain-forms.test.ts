/** The checks of the fast path that are written out, compared with the schemas that they replace. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { callArguments, plainCallArguments } from '../../src/mcp/call-arguments.ts';
import { callOf } from '../../src/mcp/fast-path.ts';
import { convertedArguments } from '../../src/mcp/tolerant-arguments.ts';
import { isJsonObject, type JsonObject } from '../../src/shapes/json.ts';

/** JSON values, in which the words of the forms are frequent. */
const word = fc.constantFrom('2.0', '1.0', 'tools/call', 'tools/list', 'echo', '', '__proto__', '{}', 'null', '5');
const searchId = 'srch_019aa6ff-1234-7abc-8def-0123456789ab';
const leaf = fc.oneof(
  word,
  fc.constant(searchId),
  fc.constantFrom(null, true, 0, -0, 1, 1.5, -7, 2 ** 53, Number.MAX_SAFE_INTEGER),
  fc.string(),
);
const object = fc.oneof(
  fc.dictionary(fc.oneof(word, fc.string()), leaf, { maxKeys: 3 }),
  fc.constant({ message: 'x' }),
);
const value = fc.oneof(leaf, object, fc.array(leaf, { maxLength: 2 }));

/** As it is parsed from JSON: `__proto__` is a member like any other. */
const parsed = (found: unknown): unknown => JSON.parse(JSON.stringify(found) ?? 'null');

/** Objects that often have the form, and often miss it by one member. */
function nearly(form: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const members = Object.entries(form).map(([name, usual]) => [
    name,
    fc.oneof({ arbitrary: usual, weight: 12 }, { arbitrary: value, weight: 1 }),
  ]);
  const model = Object.fromEntries(members);
  const record = fc.oneof(
    { arbitrary: fc.record(model), weight: 4 },
    { arbitrary: fc.record(model, { requiredKeys: [] }), weight: 1 },
  );
  const others = fc.oneof({ arbitrary: fc.constant({}), weight: 6 }, { arbitrary: object, weight: 1 });
  return fc.tuple(record, others).map(([most, more]) => parsed({ ...more, ...most }));
}

const jsonObjectSchema = z.custom<JsonObject>(isJsonObject);
const callSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.int()]),
  method: z.literal('tools/call'),
  params: z.strictObject({
    name: z.string(),
    arguments: jsonObjectSchema.optional(),
    _meta: jsonObjectSchema.optional(),
  }),
});

const params = nearly({ name: word, arguments: object, _meta: object });
const message = nearly({
  jsonrpc: fc.constant('2.0'),
  id: fc.oneof(fc.string(), fc.integer(), fc.constantFrom(1.5, -0, 2 ** 53)),
  method: fc.constant('tools/call'),
  params,
});

describe('a message', () => {
  test('is a call exactly where the schema says so, with the same members', () => {
    let calls = 0;
    fc.assert(
      fc.property(fc.oneof(message, value), (body) => {
        const { data } = callSchema.safeParse(body);
        const expected = data && {
          id: data.id,
          toolName: data.params.name,
          arguments: data.params.arguments,
          meta: data.params._meta,
        };
        if (data !== undefined) calls += 1;
        expect(callOf(body)).toEqual(expected);
      }),
      { numRuns: 4000 },
    );
    expect(calls).toBeGreaterThan(500);
  });
});

describe('the plain form of the arguments of call_mcp_tool', () => {
  const inputSchema = z.toJSONSchema(callArguments, { io: 'input' });
  const form = nearly({ server_id: word, tool_name: word, arguments: object, search_id: fc.constant(searchId) });

  test('is what the schema makes of them, or left to the schema', () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.oneof(form, value), (args) => {
        const found = plainCallArguments(args);
        if (found === undefined) return;
        plain += 1;
        expect(callArguments.parse(convertedArguments(inputSchema, args))).toEqual(found);
      }),
      { numRuns: 4000 },
    );
    expect(plain).toBeGreaterThan(500);
  });

  test.each([
    [{ server_id: 's', tool_name: 't', arguments: {} }],
    [{ server_id: 's', tool_name: 't', arguments: { x: 1 }, search_id: searchId }],
  ])('%j needs no schema', (args) => {
    expect(plainCallArguments(args)).toEqual(args);
  });
});
