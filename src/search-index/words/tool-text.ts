/** The searchable text of a tool definition, by field. It reads the upstream's input schema, which may be malformed. */

import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { ToolDefinition } from '../../shapes/tool.ts';
import { textLengthMax } from './tokenizer.ts';

/** The fields of a tool's text. */
export const toolTextFields = [
  'name',
  'summary',
  'description',
  'parameterNames',
  'parameterDescriptions',
  'server',
] as const;

/**
 * A tool's text by field. `summary` is the first sentence of the description. `description` is the rest, without the sentences
 * that say what the tool is not for, since their words describe other tools.
 */
export type ToolText = Record<(typeof toolTextFields)[number], string>;

/** The most parameters that are read of one tool, including nested ones. Further ones are ignored. */
export const parametersMax = 200;

/** The text of a definition. */
export function toolText(definition: ToolDefinition): ToolText {
  const parameters: Parameter[] = [];
  collectParameters(definition.inputSchema, parameters, 1);
  const [summary = '', ...rest] = definition.description.slice(0, textLengthMax).trim().split(sentenceEnd);
  return {
    name: definition.toolName,
    summary: definition.title === undefined ? summary : `${definition.title}. ${summary}`,
    description: rest.filter((sentence) => !disclaimer.test(sentence)).join(' '),
    parameterNames: parameters.map(({ name }) => name).join(' '),
    parameterDescriptions: parameters.map(({ description }) => description).join(' '),
    server: definition.serverId,
  };
}

interface Parameter {
  name: string;
  description: string;
}

const schemaDepthMax = 4;
const sentenceEnd = /(?<=[.!?])\s+|\n+/;
const disclaimer =
  /\b(?:do not use|don['’]t use|not for|should not|instead of|use [^.]{1,60} instead|not intended|not to be used|does not|doesn['’]t|cannot|can['’]t|will not|unlike)\b/i;

function collectParameters(schema: JsonObject, found: Parameter[], depth: number): void {
  if (depth > schemaDepthMax || !isJsonObject(schema.properties)) return;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (found.length >= parametersMax) return;
    const description = isJsonObject(property) ? property.description : undefined;
    found.push({ name, description: typeof description === 'string' ? description : '' });
    if (isJsonObject(property)) collectParameters(property, found, depth + 1);
    if (isJsonObject(property) && isJsonObject(property.items)) collectParameters(property.items, found, depth + 1);
  }
}
