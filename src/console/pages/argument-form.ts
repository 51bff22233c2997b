/** A form for the arguments of a tool, made of its JSON Schema. */
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject, parsedJson } from '../../shapes/json.ts';
import { html, lines, type Markup } from '../markup.ts';
import { choice, field } from '../parts.ts';

const namePrefix = 'argument.';

/** The fields, with these values in them. */
export function argumentFields(schema: JsonObject, values: JsonObject): Markup {
  const properties = Object.entries(isJsonObject(schema.properties) ? schema.properties : {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  return html`${properties.map(([name, property]) => propertyField(name, isJsonObject(property) ? property : {}, { isRequired: required.includes(name), value: values[name] }))}`;
}

function propertyField(
  name: string,
  property: JsonObject,
  { isRequired, value }: { isRequired: boolean; value: unknown },
): Markup {
  const id = `${namePrefix}${name}`;
  const label = isRequired ? `${name} (required)` : name;
  const hint = typeof property.description === 'string' ? property.description : undefined;
  return field(id, label, control(id, property, value), hint);
}

function control(id: string, property: JsonObject, value: unknown): Markup {
  const text = value === undefined ? undefined : textOf(value);
  const options = Array.isArray(property.enum) ? property.enum.map(textOf) : undefined;
  if (options !== undefined) return choice(id, options, { none: '', selected: text });
  if (property.type === 'boolean') return choice(id, ['true', 'false'], { none: '', selected: text });
  if (property.type === 'number' || property.type === 'integer')
    return html`<input id="${id}" name="${id}" inputmode="decimal" value="${text}">`;
  if (property.type === 'string')
    return html`<textarea id="${id}" name="${id}" rows="1">${text !== undefined && lines(text)}</textarea>`;
  return html`<textarea id="${id}" name="${id}" rows="3" placeholder="JSON" spellcheck="false">${text !== undefined && lines(text)}</textarea>`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The arguments of a form that was sent. Fields left empty are absent. @throws HestiaError INVALID_ARGUMENTS */
export function argumentsOfForm(schema: JsonObject, form: Readonly<Record<string, unknown>>): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const given = Object.entries(form).flatMap(([id, text]) => {
    const name = id.startsWith(namePrefix) ? id.slice(namePrefix.length) : undefined;
    if (name === undefined || typeof text !== 'string' || text === '') return [];
    const property = properties[name];
    return [[name, argumentOf(name, isJsonObject(property) ? property : {}, text)] as const];
  });
  return Object.fromEntries(given);
}

function argumentOf(name: string, property: JsonObject, text: string): unknown {
  if (property.type === 'string') return text.replaceAll('\r\n', '\n');
  const parsed = parsedJson(text);
  if (parsed !== undefined) return parsed;
  // A type that is not known may be text.
  if (property.type === undefined || Array.isArray(property.enum)) return text;
  throw new HestiaError(
    'INVALID_ARGUMENTS',
    `arguments.${name}: must be JSON of the type ${JSON.stringify(property.type)}`,
  );
}
