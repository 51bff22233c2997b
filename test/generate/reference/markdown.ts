/** Markdown for the reference page: tables, and rows made from JSON Schemas. */
import { z } from 'zod';

/** A table row: one text for each column. */
export type Row = readonly string[];

/** A Markdown table; a `|` in a cell is escaped. */
export function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Names in code style, separated by blanks. */
export function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' ');
}

/** A value of a record by its key. @throws Error where there is none */
export function described<Value>(record: Readonly<Record<string, Value>>, key: string): Value {
  const value = Object.hasOwn(record, key) ? record[key] : undefined;
  if (value === undefined) throw new Error(`the reference does not describe ${key}`);
  return value;
}

/** The part of JSON Schema that the page shows. */
export const jsonSchemaSchema = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maxLength: z.number().optional(),
  required: z.array(z.string()).optional(),
  get properties(): z.ZodOptional<z.ZodRecord<z.ZodString, typeof jsonSchemaSchema>> {
    return z.record(z.string(), jsonSchemaSchema).optional();
  },
  get anyOf(): z.ZodOptional<z.ZodArray<typeof jsonSchemaSchema>> {
    return z.array(jsonSchemaSchema).optional();
  },
  get items(): z.ZodOptional<typeof jsonSchemaSchema> {
    return jsonSchemaSchema.optional();
  },
});
/** A JSON Schema as the page reads it. */
export type JsonSchema = z.infer<typeof jsonSchemaSchema>;

/** The values that a schema allows, in words. */
export function valuesOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.anyOf) return schema.anyOf.map(valuesOf).join(' or ');
  if (schema.type === 'array') return `array of ${schema.items ? valuesOf(schema.items) : 'any'}`;
  return `${schema.type ?? 'any'}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum, exclusiveMinimum, maxLength }: JsonSchema): string {
  if (maxLength !== undefined) return `, at most ${maxLength} characters`;
  // JSON Schemas of whole numbers name the largest safe integer where they have no limit.
  const largest = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined && largest !== undefined) return `, above ${exclusiveMinimum}, at most ${largest}`;
  if (minimum !== undefined && largest !== undefined) return `, ${minimum} to ${largest}`;
  if (minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER) return `, at least ${minimum}`;
  return largest === undefined ? '' : `, at most ${largest}`;
}

/** The default of a schema in code style; empty where it has none. */
export function defaultOf({ default: value }: JsonSchema): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}

/** Each property of an object's schema: its name, with `?` where it may be absent, and its schema. */
export function propertiesOf({ properties = {}, required = [] }: JsonSchema): [string, JsonSchema][] {
  return Object.entries(properties).map(([name, schema]) => [required.includes(name) ? name : `${name}?`, schema]);
}
