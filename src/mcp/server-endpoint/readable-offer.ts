/**
 * Tools, prompts and resources of servers in a form that every client reads. Clients check a list as a whole, so one entry
 * with a member of a wrong type would hide all others. What is valid passes unchanged.
 */
import { specTypeSchemas } from '@modelcontextprotocol/server';
import { prunedValue } from '../../flow/pruned-value.ts';
import { isJsonObject, type JsonObject, withoutNulls } from '../../shapes/json.ts';
import type { EndpointTool, OfferListKind } from './endpoint-offers.ts';

/** The tool as MCP, with everything that the server says about it in a valid form. */
export function readableTool({ name, definition }: EndpointTool): JsonObject {
  const { title, description, outputSchema, annotations, icons, execution, meta } = definition;
  const inputSchema = readableSchema(definition.inputSchema);
  const tool = {
    name,
    ...(title !== undefined && { title }),
    description,
    inputSchema,
    ...(outputSchema !== undefined && { outputSchema }),
    ...(annotations !== undefined && { annotations }),
    ...(icons !== undefined && { icons }),
    ...(execution !== undefined && { execution }),
    ...(meta !== undefined && { _meta: meta }),
  };
  return prunedValue<JsonObject>(tool, specTypeSchemas.Tool) ?? { name, description, inputSchema };
}

const entrySchemas = {
  prompts: specTypeSchemas.Prompt,
  resources: specTypeSchemas.Resource,
  templates: specTypeSchemas.ResourceTemplate,
} as const;

/** The prompt, resource or template in a valid form; undefined if it lacks what it needs. */
export function readableEntry(kind: OfferListKind, entry: JsonObject): JsonObject | undefined {
  return prunedValue(entry, entrySchemas[kind]);
}

const resultSchemas = {
  'prompts/get': specTypeSchemas.GetPromptResult,
  'resources/read': specTypeSchemas.ReadResourceResult,
  'completion/complete': specTypeSchemas.CompleteResult,
} as const;

/** A method whose results pass an endpoint. */
export type PassedMethod = keyof typeof resultSchemas;

/** The result without members that are null for what is absent, if the client would refuse it for them. */
export function readableResult(method: PassedMethod, result: JsonObject): JsonObject {
  const schema = resultSchemas[method];
  if (schema['~standard'].validate(result).issues === undefined) return result;
  const candidate = withoutNulls(result);
  return schema['~standard'].validate(candidate).issues === undefined ? candidate : result;
}

/** The schema of an object, whose properties are schemas and whose required names are text, as clients expect it. */
function readableSchema(schema: JsonObject): JsonObject {
  const { properties, required, ...rest } = schema;
  return {
    ...rest,
    type: 'object',
    ...(isJsonObject(properties) && { properties: readableProperties(properties) }),
    ...(Array.isArray(required) && { required: required.filter((name) => typeof name === 'string') }),
  };
}

function readableProperties(properties: JsonObject): JsonObject {
  if (Object.values(properties).every(isJsonObject)) return properties;
  const readable = Object.entries(properties).map(([name, schema]) => [name, isJsonObject(schema) ? schema : {}]);
  return Object.fromEntries(readable);
}
