/** A form for the arguments of a tool, made of its JSON Schema. */
import { HestiaError } from '../../shapes/error.ts';
import { isJsonObject, type JsonObject, parsedJson } from '../../shapes/json.ts';
import { truncated } from '../../shapes/text.ts';
import { withinWeight } from '../list.ts';
import { html, lines, type Markup } from '../markup.ts';
import { choice, field } from '../parts.ts';

const namePrefix = 'argument.';

/** The name, after the prefix, of the field of all arguments that have none of their own. */
const furtherName = '';
/** The most bytes of the fields: a page with all its files is at most 150 kB. */
const fieldsBytesMax = 40_000;
/** The most values of an enumeration that are offered; with more, the value is entered as text. */
const optionsMax = 200;
/** The longest description of an argument that is shown, in characters. */
const hintMax = 500;

/** The fields, with these values in them: those of required arguments first, and one for all that would make the page too large. */
export function argumentFields(schema: JsonObject, values: JsonObject): Markup {
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  const properties = Object.entries(propertiesOf(schema)).map(([name, property]) => ({
    name,
    property: isJsonObject(property) ? property : {},
    isRequired: required.includes(name),
  }));
  const ordered = properties.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
  const drawn = withinWeight(ordered, (each) => propertyField(each, values[each.name]), fieldsBytesMax);
  const rest = ordered.slice(drawn.length).map(({ name }) => name);
  return html`${drawn}${rest.length > 0 && furtherField(rest, values[furtherName])}`;
}

function propertiesOf(schema: JsonObject): JsonObject {
  return isJsonObject(schema.properties) ? schema.properties : {};
}

interface Property {
  name: string;
  property: JsonObject;
  isRequired: boolean;
}

function propertyField({ name, property, isRequired }: Property, value: unknown): Markup {
  const id = `${namePrefix}${name}`;
  const label = isRequired ? `${name} (required)` : name;
  const hint = typeof property.description === 'string' ? truncated(property.description, hintMax) : undefined;
  return field(id, label, control(id, property, value), hint);
}

function furtherField(names: readonly string[], value: unknown): Markup {
  const id = `${namePrefix}${furtherName}`;
  const text = typeof value === 'string' && lines(value);
  const input = html`<textarea id="${id}" name="${id}" rows="3" placeholder="JSON" spellcheck="false">${text}</textarea>`;
  return field(id, `${names.length} further arguments, as a JSON object`, input, truncated(names.join(', '), hintMax));
}

function control(id: string, property: JsonObject, value: unknown): Markup {
  const text = value === undefined ? undefined : textOf(value);
  const options = Array.isArray(property.enum) ? property.enum.map(textOf) : undefined;
  if (options !== undefined && options.length <= optionsMax) return choice(id, options, { none: '', selected: text });
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

/** The texts of a form that was sent, by the name of the argument, to be shown again. */
export function textsOfForm(form: Readonly<Record<string, unknown>>): JsonObject {
  const texts = Object.entries(form).flatMap(([id, text]) =>
    id.startsWith(namePrefix) && typeof text === 'string' && text !== '' ? [[id.slice(namePrefix.length), text]] : [],
  );
  return Object.fromEntries(texts);
}

/** The arguments of a form that was sent. Fields left empty are absent. @throws HestiaError INVALID_ARGUMENTS */
export function argumentsOfForm(schema: JsonObject, form: Readonly<Record<string, unknown>>): JsonObject {
  const properties = propertiesOf(schema);
  const { [furtherName]: further, ...texts } = textsOfForm(form);
  const given = Object.entries(texts).map(([name, text]) => {
    const property = properties[name];
    return [name, argumentOf(name, isJsonObject(property) ? property : {}, String(text))] as const;
  });
  return { ...furtherArguments(further), ...Object.fromEntries(given) };
}

function furtherArguments(text: unknown): JsonObject {
  if (typeof text !== 'string') return {};
  const parsed = parsedJson(text);
  if (isJsonObject(parsed)) return parsed;
  throw new HestiaError('INVALID_ARGUMENTS', 'arguments: the further ones must be a JSON object, such as {"name": 1}');
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
